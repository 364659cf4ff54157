"""Asset Administration Shells: what others write is read, what we write is valid, and read back it is the same."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aas_test_engines import file as engines
from hypothesis import given, settings

from chaingraph import View
from ingest import writing
from ingest.reading.documents import aas
from ingest.writing import Told
from ingest.writing import aas as aas_writing
from tests.ingest import exchange
from tests.ingest.files import codes, text
from tests.ingest.shells import (
    BOM,
    collection,
    entity,
    external,
    nameplate,
    prop,
    records,
    relation,
    shell,
    submodel,
    words,
    wrong,
)  # fmt: skip

KINDS = aas_writing.KINDS
ISO_YEAR = 8760


@pytest.fixture(scope="module")
def seen(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """What L01 sees of the demo consortium, which has two change notices, too."""
    folder = tmp_path_factory.mktemp("aas")
    with exchange.demo(demo_store, folder) as workspace:
        yield workspace.view("L01")


@pytest.mark.parametrize("product", [None, "VMC850"], ids=["all", "one product"])
def test_what_is_written_of_the_demo_is_valid(seen: View, product: str | None) -> None:
    document = writing.write(seen, "aas", product)
    assert not wrong(engines.check_json_data(json.loads(document.content)))
    package = writing.write(seen, "aasx", product)
    assert package.rows == document.rows
    assert not wrong(engines.check_aasx_data(zipfile.ZipFile(io.BytesIO(package.content))))
    assert package.content == writing.write(seen, "aasx", product).content


def test_the_demo_read_back_is_the_same(seen: View, tmp_path: Path) -> None:
    written = writing.write(seen, "aas", "VMC850")
    assert (written.left_out, written.rows["contains"], written.rows["change_notice"]) == (0, 97, 2)
    file = tmp_path / "demo.json"
    file.write_bytes(written.content)
    with exchange.taken(file, tmp_path / "store") as (found, report):
        assert not codes(report)
        exchange.same_of_product(seen, found, "L01/VMC850", KINDS)
    package = tmp_path / "demo.aasx"
    package.write_bytes(writing.write(seen, "aasx", "VMC850").content)
    assert exchange.unpacked(package, tmp_path / "package") == exchange.parsed(file, tmp_path / "json")


def test_what_names_a_pseudonym_is_left_out_and_counted(seen: View) -> None:
    written = writing.write(seen, "aas")
    hidden = sum(seen.count(name) - exchange.table(seen, name).height for name in KINDS)
    assert written.left_out == hidden > 0
    pseudonyms = [each for each in seen.table("part")["issuer"] if each.startswith("P-")]
    assert pseudonyms
    assert not [each for each in pseudonyms if each.encode() in written.content]


@settings(max_examples=40)
@given(exchange.worlds())
def test_any_world_is_written_validly_and_read_back(rows: Told) -> None:
    document = json.loads(json.dumps(aas_writing.environment(rows)))
    assert not wrong(engines.check_json_data(document))
    found = aas.read(document)
    sheets = {"part": "parts", "part_alias": "part_aliases", "contains": "contains",
              "declared_value": "declared_values", "change_notice": "change_notices"}  # fmt: skip
    for name, sheet in sheets.items():
        assert exchange.rows_of(found, sheet) == exchange.told_rows(rows, name), name
    assert found is not None
    assert not found.notes


# documents of others


def notes(document: Any) -> list[tuple[str, str]]:
    """Codes and what they are about."""
    found = aas.read(document)
    assert found is not None
    return [(each.code, str(each.values.get("what", ""))) for each in found.notes]


def rows(document: Any, sheet: str) -> list[dict[str, str]]:
    """Rows of a sheet of a document that is valid."""
    assert not wrong(engines.check_json_data(document))
    return exchange.rows_of(aas.read(document), sheet)


def test_mean_times_are_years_unless_somebody_says_another_unit() -> None:
    mttf = prop("MTTF", "15", "xs:int", "0112/2///62683#ACE061#001")
    figures = collection("ReliabilityCharacteristics__00__", mttf, prop("B10", "1000000", "xs:int"))
    document = shell(submodel("Reliability", figures))
    years, cycles = sorted(rows(document, "declared_values"), key=lambda row: row["metric"], reverse=True)
    assert years == {
        "part": "Muster AG/P-100", "maker": "Muster AG", "metric": "mtbf", "value": repr(15.0 * ISO_YEAR), "unit": "h",
    }  # fmt: skip
    assert (cycles["metric"], cycles["value"], cycles["unit"]) == ("b10", "1000000.0", "cycles")
    hours = {
        "dataSpecification": external("https://admin-shell.io/DataSpecificationTemplates/DataSpecificationIec61360/3"),
        "dataSpecificationContent": {
            "modelType": "DataSpecificationIec61360", "preferredName": [{"language": "en", "text": "MTTF"}],
            "unit": "h",
            "definition": [{"language": "en", "text": "mean time"}],
        },
    }  # fmt: skip
    concept = {
        "modelType": "ConceptDescription", "id": "0112/2///62683#ACE061#001", "embeddedDataSpecifications": [hours],
    }  # fmt: skip
    said = rows({**document, "conceptDescriptions": [concept]}, "declared_values")
    assert sorted(row["value"] for row in said) == ["1000000.0", "15.0"]


def test_conditions_go_with_their_figures_or_are_said_to_be_left_out() -> None:
    sets = [collection(f"ReliabilityCharacteristics{n}", prop("MTBF", str(20 + n), "xs:int")) for n in range(2)]
    conditions = [
        collection(
            f"OperatingConditionsOfReliabilityCharacteristics{n}", prop("RatedVoltage", f"{24 + n}", "xs:double")
        )
        for n in range(3)
    ]
    one = shell(submodel("Reliability", conditions[0], *sets))
    assert {row["condition"] for row in rows(one, "declared_values")} == {"RatedVoltage 24"}
    each = shell(submodel("Reliability", *conditions[:2], *sets))
    assert [row["condition"] for row in rows(each, "declared_values")] == ["RatedVoltage 24", "RatedVoltage 25"]
    unclear = shell(submodel("Reliability", *conditions, *sets))
    assert ["condition" in row for row in rows(unclear, "declared_values")] == [False, False]
    assert notes(unclear) == [("document.unused", "OperatingConditionsOfReliabilityCharacteristics")]


def test_two_mean_times_of_one_set_are_told() -> None:
    both = collection("ReliabilityCharacteristics", prop("MTTF", "30", "xs:int"), prop("MTBF", "20", "xs:int"))
    document = shell(submodel("Reliability", both))
    assert [row["value"] for row in rows(document, "declared_values")] == [repr(20.0 * ISO_YEAR)]
    assert notes(document) == [("document.contradiction", "MTBF, MTTF")]


@pytest.mark.parametrize("said", ["-1", "0", "nan", "1e999", "viele", "15 years"])
def test_a_figure_that_is_none_is_told(said: str) -> None:
    document = shell(submodel("Reliability", collection("ReliabilityCharacteristics", prop("MTBF", said))))
    assert not rows(document, "declared_values")
    assert notes(document) == [("document.bad_value", "MTBF")]


def test_figures_of_dangerous_failures_are_no_figures_of_all() -> None:
    electronic = collection("ElectronicElement", prop("MTTFD", "100", "xs:int"))
    switch = collection("ElectromechanicalElement", prop("B10D", "2000000", "xs:double"))
    subsystem = collection("SafetySubsystem", prop("SIL", "2"), prop("PFH", "1.5E-8", "xs:double"))
    document = shell(submodel("FunctionalSafety", collection("SafetyDeviceTypes", electronic, switch, subsystem)))
    found = rows(document, "declared_values")
    assert {(row["metric"], row["value"], row["unit"], row["mode"]) for row in found} == {
        ("mtbf", "876000.0", "h", "dangerous"),
        ("b10", "2000000.0", "cycles", "dangerous"),
        ("failure_rate", "1.5e-08", "1/h", "dangerous"),
    }
    assert [row["mode"] for row in rows(document, "modes")] == ["dangerous"]


def lines(document: Any) -> set[tuple[str, str, str]]:
    return {(row["parent"], row["child"], row["quantity"]) for row in rows(document, "contains")}


def test_what_is_in_an_entity_is_part_of_it_at_every_depth() -> None:
    seal = entity("Seal", "urn:example:seal", prop("BulkCount", "4", "xs:unsignedLong"))
    motor = entity("Motor", "urn:example:motor", entity("Winding", "urn:example:winding"), seal)
    entry = entity("EntryNode", "urn:example:p-100", motor)
    document = shell(submodel("BOM", entry, prop("ArcheType", "Full"), meaning=BOM))
    assert lines(document) == {
        ("Muster AG/P-100", "Motor", "1.0"), ("Motor", "Winding", "1.0"), ("Motor", "Seal", "4.0"),
    }  # fmt: skip


def test_upward_structures_and_relationships_say_who_is_part_of_whom() -> None:
    entry = entity("EntryNode", "urn:example:p-100", entity("Plant", "urn:example:plant"))
    assert lines(shell(submodel("BOM", entry, prop("ArcheType", "OneUp"), meaning=BOM))) == {
        ("Plant", "Muster AG/P-100", "1.0")
    }
    part_of = relation("IsPartOf01", ["EntryNode"], ["EntryNode", "Plant"])
    entry["statements"].append(part_of)
    assert lines(shell(submodel("BOM", entry, prop("ArcheType", "Full"), meaning=BOM))) == {
        ("Plant", "Muster AG/P-100", "1.0")
    }


def test_entities_that_are_the_same_are_one_part() -> None:
    spare = entity("Spare", None)
    same = relation("SameAs", ["EntryNode", "Spare"], ["EntryNode", "Pump2"])
    entry = entity("EntryNode", "urn:example:p-100", spare, entity("Pump2", "urn:example:pump2"), same)
    document = shell(submodel("BOM", entry, meaning=BOM))
    assert lines(document) == {("Muster AG/P-100", "Pump2", "1.0")}
    assert len(rows(document, "contains")) == 2


def test_a_notice_of_discontinuation_with_its_days_and_its_successor() -> None:
    last = collection(
        None, prop("MilestoneClassification", "EOS"), prop("DateOfValidity", "2026-03-01T00:00:00Z", "xs:dateTime")
    )
    other = collection(
        None, prop("MilestoneClassification", "NRND"), prop("DateOfValidity", "2025-03-01T00:00:00Z", "xs:dateTime")
    )
    record = collection(
        None,
        collection("Manufacturer", words("ManufacturerName", en="Muster AG")),
        prop("ManufacturerChangeID", "C-7"), prop("PcnType", "PDN"), records("LifeCycleData", last, other),
        collection("PcnChangeInformation", words("ChangeTitle", en="End", zh="停产"), words("ChangeDetail", en="No")),
        prop("DateOfRecord", "2025-02-03T10:00:00Z", "xs:dateTime"),
        collection("ItemOfChange", words("OrderCodeOfManufacturer", en="P-100")),
        records("RecommendedItems", collection(None, words("OrderCodeOfManufacturer", en="P-200"))),
    )  # fmt: skip
    document = shell(submodel("ProductChangeNotifications", records("Records", record)))
    assert rows(document, "change_notices") == [
        {
            "id": "C-7", "part": "Muster AG/P-100", "maker": "Muster AG", "category": "discontinuation",
            "description": "停产: No", "announced_on": "2025-02-03", "last_order_on": "2026-03-01",
            "replacement": "P-200",
        }
    ]  # fmt: skip
    assert notes(document) == [("document.unused", "LifeCycleData NRND")]


def test_a_nameplate_says_maker_number_names_and_serial() -> None:
    document = shell(nameplate(), specificAssetIds=[{"name": "plantNumber", "value": "7"}])
    assert not wrong(engines.check_json_data(document))
    found = aas.read(document)
    assert "Musterweg" not in str(found)
    assert "139" not in str(found)
    assert exchange.rows_of(found, "parts") == [
        {
            "number": "P-100", "issuer": "Muster AG", "name_zh": "泵", "name_en": "Pump",
            "global asset id": "urn:example:p-100",
        }
    ]  # fmt: skip
    assert exchange.rows_of(found, "lots") == [
        {
            "part": "Muster AG/P-100", "maker": "Muster AG", "code": "4711", "produced_on": "2025-04-01",
            "individual": "true",
        }
    ]  # fmt: skip
    assert notes(document) == [("document.unused", "plantNumber")]


def test_a_makers_document_is_taken_in_by_its_customer(tmp_path: Path) -> None:
    figures = collection("ReliabilityCharacteristics", prop("MTBF", "50", "xs:int"))
    document = shell(nameplate(), submodel("Reliability", figures))
    file = text(tmp_path, "pump.json", json.dumps(document))
    with exchange.taken(file, tmp_path / "store", administrator=False) as (found, report):
        assert not codes(report)
        assert found.table("part").select("number", "stub", "extra").rows() == [
            ("P-100", False, '{"global asset id":"urn:example:p-100"}')
        ]
        part = found.table("part")["key"].item()
        assert found.table("declared_value").select("part", "value", "unit").rows() == [(part, 438000.0, "h")]
        assert found.table("lot").select("part", "code", "individual").rows() == [(part, "4711", True)]


def test_what_is_not_read_and_old_versions_are_told() -> None:
    assert notes(shell(submodel("CarbonFootprint"))) == [("document.unused", "CarbonFootprint")]
    old: dict[str, Any] = {"assetAdministrationShells": [], "assets": [], "submodels": []}
    assert notes(old) == [("document.version", "")]
    alone = submodel("Reliability", collection("ReliabilityCharacteristics", prop("MTBF", "9", "xs:int")))
    assert notes(alone) == [("document.missing", "assetAdministrationShell")]
    assert aas.read({"submodels": "none"}) is None
    assert aas.read([]) is None
