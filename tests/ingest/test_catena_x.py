"""Aspects of Catena-X: read leniently in every version, written strictly in the newest, and the lives of a fleet."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from analytics import run
from chaingraph import Workspace
from ingest.load import load, look
from ingest.reading.documents import Document
from ingest.reading.documents.catena_x import ASPECTS, read
from ingest.writing import write
from tests.ingest.files import text

A, B, C, D = (f"{n:08x}-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))
MAKER = "BPNL0000000001AB"


def said(document: Any) -> Document:
    found = read(document)
    assert found is not None
    return found


def kept(found: Document, sheet: str) -> list[dict[str, Any]]:
    return [{name: v for name, v in row.items() if v is not None} for row in found.rows.get(sheet, [])]


def notes(found: Document) -> list[tuple[str, Any]]:
    return [(note.code, note.values.get("what")) for note in found.notes]


def serial(version: int, known: str = A, code: str = "SN1", batch: str | None = "B1") -> dict[str, Any]:
    """A serialised part as that version has it."""
    local = [("manufacturerId", MAKER), ("partInstanceId", code), ("batchId", batch)]
    if version == 1:
        local = [("ManufacturerID", MAKER), ("PartInstanceID", code), ("batchId", batch)]
    made = {"productionDate": "2024-05-06"} if version == 4 else {"date": "2024-05-06T07:08:09.000Z"}
    about: dict[str, Any] = {"manufacturerPartId": "P7", "nameAtManufacturer": "Pump"}
    if version < 3:
        about["classification"] = "component"
    else:
        names = ("standard", "id") if version == 4 else ("classificationStandard", "classificationID")
        about["partClassification"] = [dict(zip(names, ("GIN 20510", "1004712"), strict=True))]
    return {
        "globalAssetId" if version == 4 else "catenaXId": f"urn:uuid:{known}",
        "localIdentifiers": [{"key": key, "value": value} for key, value in local if value],
        "manufacturingInformation": made | {"country": "DEU"},
        "partTypeInformation": about,
    }


def part_type(number: str, known: str) -> dict[str, Any]:
    return {
        "globalAssetId": f"urn:uuid:{known}",
        "partTypeInformation": {"manufacturerPartId": number, "nameAtManufacturer": number},
    }


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_serialised_part_is_a_lot_of_one_in_every_version(version: int) -> None:
    found = said(serial(version))
    (part,) = kept(found, "parts")
    assert (part["number"], part["issuer"], part["name_en"]) == ("P7", MAKER, "Pump")
    assert part.get("part_class") == ("1004712" if version > 2 else None)
    lots = {row["code"]: row for row in kept(found, "lots")}
    assert lots["SN1"] == {
        "part": f"{MAKER}/P7", "maker": MAKER, "code": "SN1", "produced_on": "2024-05-06", "individual": True,
        "catenaXId": A, "batchId": "B1", "country": "DEU",
    }  # fmt: skip
    assert "individual" not in lots["B1"]
    assert found.notes == []


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_what_was_built_in_is_genealogy_in_every_version(version: int) -> None:
    known = "globalAssetId" if version == 4 else "catenaXId"
    amount = (
        {"value": 2, "unit": "unit:piece"} if version > 2 else {"quantityNumber": 2, "measurementUnit": "unit:piece"}
    )
    built = {
        known: f"urn:uuid:{A}",
        "childItems": [{known: B, "quantity": amount, "createdOn": "2024-05-06T00:00:00Z"}],
    }
    urn = f"urn:samm:io.catenax.single_level_bom_as_built:{version}.0.0#SingleLevelBomAsBuilt"
    envelope = {"semanticId": urn, "content": [built]}
    found = said([serial(version), serial(version, B, "SN2", None), envelope])
    assert kept(found, "lot_genealogy") == [
        {
            "from_part": f"{MAKER}/P7", "from_maker": MAKER, "from_lot": "SN2", "into_part": f"{MAKER}/P7",
            "into_maker": MAKER, "into_lot": "SN1", "quantity": 2.0,
        }
    ]  # fmt: skip
    assert found.notes == []


def test_a_plan_is_a_bill_of_materials() -> None:
    line = {
        "globalAssetId": f"urn:uuid:{B}", "quantity": {"value": 0.3, "unit": "unit:kilogram"},
        "businessPartner": MAKER, "createdOn": "2024-01-01", "validityPeriod": {"validFrom": "2024-02-01T00:00:00Z"},
    }  # fmt: skip
    found = said([part_type("P1", A), part_type("P2", B), {"globalAssetId": A, "childItems": [line]}])
    assert kept(found, "contains") == [
        {"parent": "P1", "child": "P2", "quantity": 0.3, "unit": "kg", "valid_from": "2024-02-01"}
    ]


@pytest.mark.parametrize(
    "wrapped",
    [
        {"aspect": "urn:bamm:io.catenax.serial_part_typization:1.1.0#SerialPartTypization", "payload": serial(1)},
        {"semanticId": {"keys": [{"value": "urn:samm:io.catenax.serial_part:3.0.0#SerialPart"}]}, "data": [serial(3)]},
        {"container": [{"bpnl": MAKER, "urn:samm:io.catenax.serial_part:4.0.0#SerialPart": [serial(4)]}]},
        [[serial(2)]],
    ],
    ids=["old name", "reference of a shell", "key", "bare"],
)
def test_envelopes_are_opened(wrapped: Any) -> None:
    assert [row["code"] for row in kept(said(wrapped), "lots")] == ["SN1", "B1"]


def test_what_cannot_be_used_is_said() -> None:
    strange = serial(4) | {"favouriteColour": "red"}
    strange["manufacturingInformation"] = {"productionDate": "in May"}
    without = {name: value for name, value in serial(4, B, "SN2").items() if name != "localIdentifiers"}
    found = said(
        [
            {"semanticId": "urn:samm:io.catenax.serial_part:9.0.0#SerialPart", "payload": strange},
            {"semanticId": "urn:samm:io.catenax.serial_part:4.0.0#SerialPart", "payload": without},
            {"catenaXId": D, "childItems": []},
        ]
    )
    assert notes(found) == [
        ("document.version", None),
        ("document.unused", "SerialPart.favouriteColour"),
        ("document.missing", "SerialPart.localIdentifiers"),
        ("document.bad_value", "manufacturingInformation.productionDate"),
        ("document.missing", "localIdentifiers.partInstanceId"),
        ("document.missing", f"SerialPart / Batch {D}"),
    ]


@pytest.mark.parametrize("broken", [None, 7, "x", [], {}, [None, 3], True, 1e999, {"a": {"b": [{}]}}], ids=repr)
def test_what_goes_wrong_inside_breaks_nothing(broken: Any) -> None:
    """Every property of every aspect in turn, at any depth, is something else than it should be."""
    whole = {
        "vehicles": [{"anonymizedVIN": "V1", "soldDate": "2024-01-01", "vehicleId": C, "parts": [{"partNumber": "P"}]}],
        "claims": [{"claimId": "1", "anonymizedVIN": "V1", "repairDate": "2024-03-01", "repairMileage": 5,
                    "claimedParts": [{"partNumber": "P", "isPartCausal": True}]}],
        "warning": {"notificationId": D, "status": "CLOSED", "listOfAffectedItems": [{"catenaXId": A}]},
    }  # fmt: skip
    documents: list[Any] = [
        serial(4), part_type("P1", B), {"vehicles": whole["vehicles"]}, {"claims": whole["claims"]}, whole["warning"],
        {"globalAssetId": A, "childItems": [{"globalAssetId": A, "quantity": {"value": 1, "unit": "unit:piece"}}]},
        {"manufacturedParts": [{"partNumber": "P", "serialNumber": "1", "plant": {"plantIdentifier": "x"}}]},
        {"diagnosticSessions": [{"anonymizedVIN": "V1", "sessionStart": "2024-02-01", "sessionMileage": 3}]},
    ]  # fmt: skip
    for changed in spoilt(documents, broken):
        read(changed)


def spoilt(value: Any, broken: Any) -> list[Any]:
    """The document with one thing in it replaced, for each thing in it."""
    if isinstance(value, dict):
        return [{**value, k: new} for k in value for new in [broken, *spoilt(value[k], broken)]]
    if isinstance(value, list):
        return [
            [*value[:i], new, *value[i + 1 :]] for i in range(len(value)) for new in [broken, *spoilt(value[i], broken)]
        ]
    return []


def test_an_early_warning_is_a_problem_of_the_parts_affected() -> None:
    warning = {
        "notificationId": D, "status": "CLOSED", "severity": "MAJOR", "information": "Leaks when cold",
        "relatedQualityTaskID": "7", "listOfAffectedItems": [{"catenaXId": A}, {"catenaXId": B}],
    }  # fmt: skip
    (problem,) = kept(said([serial(4), serial(4, B, "SN2"), warning]), "problems")
    assert problem == {
        "id": D, "part": f"{MAKER}/P7", "maker": MAKER, "lot": "B1", "problem": "Leaks when cold", "state": "closed",
        "severity": "MAJOR", "quantity": 2, "qualityTaskId": "7",
    }  # fmt: skip


# the lives of a fleet


def fleet(vehicles: Sequence[Mapping[str, Any]], claims: Sequence[Mapping[str, Any]], *more: Any) -> list[Any]:
    until = {"selectionCriteria": "all", "selectionEnd": "2025-01-01"}
    return [*more, {"vehicles": [*vehicles], "metaInformation": until}, {"claims": [*claims], "metaInformation": until}]


def vehicle(name: str, sold: str | None, *parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"anonymizedVIN": name, "productionDate": "2023-01-01", "soldDate": sold or "null", "parts": [*parts]}


def claim(number: str, name: str, on: str, **part: Any) -> dict[str, Any]:
    cause = {"partName": "Pump", "isPartCausal": True, **part}
    return {"claimId": number, "anonymizedVIN": name, "repairDate": on, "claimedParts": [cause]}


def test_units_without_a_claim_are_alive_at_the_end_and_those_never_sold_are_not_in_use() -> None:
    pump = {"partName": "Pump", "partNumber": "P7", "batchNumber": "B1"}
    found = said(
        fleet(
            [vehicle("V1", "2024-01-01", pump), vehicle("V2", "2024-07-01", pump), vehicle("V3", None, pump)],
            [claim("K1", "V1", "2024-07-01", partNumber="P7"), claim("K2", "V1", "2024-08-01", partNumber="P7")],
        )
    )
    assert [(r["id"], r["VIN"], r["lot"], r["event"], r["age"], r["observed_on"])
            for r in found.rows["life_records"]] == [
        ("K1", "V1", "B1", "failure", 5.9795, "2024-07-01"), (None, "V2", "B1", "suspension", 6.0452, "2025-01-01"),
    ]  # fmt: skip
    assert {note.code for note in found.notes} == {"document.unsold", "document.lives", "document.later_claim"}
    assert {r["unit"] for r in found.rows["life_records"]} == {"months"}
    assert "parts" not in found.rows  # which would take the place of what the owner has said of them


def test_ages_are_kilometres_where_every_unit_has_a_mileage() -> None:
    pump = {"partName": "Pump", "partNumber": "P7"}
    read_out = {"anonymizedVIN": "V2", "sessionStart": "2024-12-01", "sessionMileage": 1000, "sessionMileageUnit": "mi"}
    failed = claim("K1", "V1", "2024-07-01", partNumber="P7") | {"repairMileage": 900, "repairMileageUnit": "km"}
    found = said(
        fleet(
            [vehicle("V1", "2024-01-01", pump), vehicle("V2", "2024-07-01", pump)], [failed],
            {"diagnosticSessions": [read_out]},
        )
    )  # fmt: skip
    assert [r["age"] for r in found.rows["life_records"]] == [900.0, pytest.approx(1609.344)]
    assert {r["unit"] for r in found.rows["life_records"]} == {"km"}


def test_the_maker_and_the_batch_come_from_the_serialised_parts_that_were_built_in() -> None:
    built = {"globalAssetId": C, "childItems": [{"globalAssetId": A}, {"globalAssetId": B}]}
    urn = "urn:samm:io.catenax.single_level_bom_as_built:4.0.0#SingleLevelBomAsBuilt"
    found = said(
        fleet(
            [vehicle("V1", "2024-01-01") | {"vehicleId": C}], [claim("K1", "V1", "2024-07-01", partId=B)],
            serial(4), serial(4, B, "SN2", "B2"), {"semanticId": urn, "payload": built},
        )
    )  # fmt: skip
    rows = {(r["lot"], r["event"], r["maker"], r["VIN"]) for r in found.rows["life_records"]}
    assert rows == {("B1", "suspension", MAKER, "V1 SN1"), ("B2", "failure", MAKER, "V1 SN2")}


def test_claims_about_what_no_vehicle_has_are_no_population() -> None:
    found = said(fleet([vehicle("V1", "2024-01-01")], [claim("K1", "V1", "2024-07-01", partNumber="P7")]))
    assert [r["event"] for r in found.rows["life_records"]] == ["failure"]
    assert "document.no_population" in {note.code for note in found.notes}


def invented(seed: int, size: int) -> list[Any]:
    """A fleet of which every fourth pump is of a bad batch, whose rate of failure is five times that of the others."""
    chance = random.Random(seed)
    end = dt.date(2025, 1, 1)
    vehicles, claims = [], []
    for at in range(size):
        batch = "BAD" if at % 4 == 0 else f"G{at % 3}"
        sold = dt.date(2023, 1, 1) + dt.timedelta(days=chance.randrange(600))
        days = chance.expovariate((0.05 if batch == "BAD" else 0.01) / 30.4375)
        vin = f"LSVAA{at:012}"
        vehicles.append(vehicle(vin, sold.isoformat(), {"partName": "Pump", "partNumber": "P7", "batchNumber": batch}))
        if sold + dt.timedelta(days=days) <= end:
            on = (sold + dt.timedelta(days=days)).isoformat()
            claims.append(claim(f"K{at}", vin, on, partNumber="P7", batchNumber=batch))
    return fleet(vehicles, claims, part_type("P7", A))


def test_a_bad_batch_shows_in_the_lives_of_a_fleet(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(invented(7, 3000)), encoding="utf-8")
    report = load(workspace, [path], by="S1")
    assert [f for f in report.findings if f.severity == "error"] == []
    records = workspace.view("S1").table("life_record")
    assert records.height == 3000
    assert records["serial"].str.starts_with("h:").all()
    assert records["serial"].n_unique() == 3000
    bad = pl.col("lot").str.ends_with("/BAD")
    rates = records.group_by(bad.alias("bad")).agg(rate=(pl.col("event") == "failure").sum() / pl.col("age").sum())
    (good, worse) = rates.sort("bad")["rate"]
    assert good == pytest.approx(0.01, rel=0.15)
    assert worse / good == pytest.approx(5, rel=0.2)
    compared = run("life_comparison", workspace.view("S1"), {"part": "P7", "by": "lot"})
    assert compared.unit == "months"
    lives = {each.label.en: each.fit.mean for each in compared.groups}
    assert lives["BAD"].low < 20 < lives["BAD"].high
    assert all(lives[f"G{n}"].low < 100 < lives[f"G{n}"].high for n in range(3))
    assert all(each.failures > each.expected for each in compared.groups if each.label.en == "BAD")
    again = look(workspace, [path], by="S1").report.total
    assert (again.new, again.changed) == (0, 0)


# what is written

UUID = r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
DAY = r"^\d{4}-\d{2}-\d{2}$|^null$"
STAMP = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"
LETTERS = r"^[A-Z]{3}$|^null$"
BPNL = r"^BPNL[a-zA-Z0-9]{12}$"
UNIT = r"^unit:[a-zA-Z]+$"
LOCAL_KEY = "^(manufacturerId|batchId|customKey|jisNumber|jisCallDate|parentOrderNumber|partInstanceId|van)$"
CLASSES = [{"standard!": str, "id!": str, "description": str}]
LOCAL = [{"key!": LOCAL_KEY, "value!": str}]
MADE = {"productionDate!": r"^\d{4}-\d{2}-\d{2}$", "country": LETTERS}
LINE = {
    "quantity!": {"value!": float, "unit!": UNIT}, "globalAssetId!": UUID, "businessPartner!": BPNL,
    "createdOn!": STAMP, "lastModifiedOn": STAMP,
}  # fmt: skip
INSTALLED = {"partName!": str, "partNumber": str, "batchNumber": str, "serialNumber": str, "partId": UUID}
META = {"selectionCriteria!": str, "selectionStart": str, "selectionEnd": str}
TABLES: Mapping[str, Any] = {
    "part_type_information:2.0.0#PartTypeInformation": {
        "globalAssetId!": UUID,
        "partTypeInformation!": {
            "manufacturerPartId!": str, "nameAtManufacturer!": str, "partClassification": CLASSES,
        },
    },
    "serial_part:4.0.0#SerialPart": {
        "globalAssetId!": UUID, "localIdentifiers!": LOCAL, "manufacturingInformation!": MADE,
        "partTypeInformation!": {
            "manufacturerPartId": str, "nameAtManufacturer": str, "customerPartId!": str, "nameAtCustomer!": str,
            "partClassification!": CLASSES,
        },
    },
    "batch:4.0.0#Batch": {
        "globalAssetId!": UUID, "localIdentifiers!": LOCAL, "manufacturingInformation!": MADE,
        "partTypeInformation!": {
            "manufacturerPartId!": str, "nameAtManufacturer!": str, "partClassification": CLASSES,
        },
    },
    "single_level_bom_as_planned:4.0.0#SingleLevelBomAsPlanned": {
        "globalAssetId!": UUID,
        "childItems!": [LINE | {"validityPeriod": {"validFrom": STAMP, "validTo": STAMP}}],
    },
    "single_level_bom_as_built:4.0.0#SingleLevelBomAsBuilt": {
        "globalAssetId!": UUID, "childItems!": [LINE | {"hasAlternatives!": bool}],
    },
    "fleet.vehicles:4.0.0#Vehicles": {
        "vehicles!": [
            {"anonymizedVIN!": str, "productionDate!": DAY, "soldDate!": DAY, "soldCountryCode": LETTERS,
             "modelIdentifier": str, "parts": [INSTALLED],
             "additionalInformationList": [{"key!": str, "value!": str}]}
        ],
        "metaInformation": META,
    },
    "fleet.claim_data:3.0.0#ClaimData": {
        "claims!": [
            {"anonymizedVIN!": str, "qualityTaskId!": UUID, "countryCode!": LETTERS, "claimId!": str,
             "repairDate": DAY, "damageCodeDescription": str, "claimedParts": [INSTALLED | {"isPartCausal": bool}]}
        ],
        "metaInformation": META,
    },
}  # fmt: skip
"""The properties that the published models have in these versions, those with `!` required: a text (a pattern, or any),
a number, yes or no, a list, an object. Of what we never write nothing is listed, so that it would be found.
"""


def schema(table: Any) -> dict[str, Any]:
    """A JSON Schema out of a table of properties."""
    if isinstance(table, dict):
        return {
            "type": "object", "additionalProperties": False,
            "properties": {name.rstrip("!"): schema(each) for name, each in table.items()},
            "required": [name[:-1] for name in table if name.endswith("!")],
        }  # fmt: skip
    if isinstance(table, list):
        return {"type": "array", "items": schema(table[0])}
    if isinstance(table, str):
        return {"type": "string", "pattern": table}
    return {"type": {str: "string", float: "number", bool: "boolean"}[table]}


@pytest.fixture
def chain(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A firm's parts, their bill of materials, lots and what went into them, and lives in months."""
    sheets = {
        "organisations": "组织代码,名称,BPNL\nS1,甲厂,BPNL0000000001AB\nS2,乙厂,BPNL0000000002CD\nS3,丙厂,\n",
        "parts": (
            "物料编码,编码方,名称,英文名称,零部件类别,重要度,寿命单位\nA1,S1,泵,pump,pumps,关键,months\n"
            "A2,S1,,shaft,,,months\nB1,S2,轴承,,bearing,,months\nC1,S3,油,,,,months\n"
        ),
        "contains": (
            "父件编码,子件编码,项次,用量,单位,冗余组,最少工作数,生效日期\nA1,A2,1,2,,G,1,\nA1,S2/B1,2,4,pcs,,,2024-01-01\n"
            "A1,S3/C1,3,0.5,L,,,\n"
        ),
        "lots": (
            "物料编码,生产厂家,批次号,生产日期,数量,单件\nA1,S1,SN1,2024-03-01,,是\nA1,S1,SN2,2024-03-02,,是\n"
            "A2,S2,L9,2024-02-01,500,\nS2/B1,S2,L7,2024-01-05,,否\nA2,S1,no day,,,\n"
        ),
        "lot_genealogy": (
            "投入物料,投入厂家,投入批次,产出物料,产出厂家,产出批次,数量\nA2,S2,L9,A1,S1,SN1,2\nS2/B1,S2,L7,A1,S1,SN1,4\n"
        ),
        "life_records": (
            "故障单号,VIN,物料编码,生产厂家,批次号,失效标识,age,寿命单位,投用日期,故障日期,故障现象,数据来源\n"
            "K1,V1,A1,S1,SN1,failure,5.9795,months,2024-01-01,2024-07-01,漏油,warranty\n"
            "K2,V2,A1,S1,SN2,suspension,12.0246,months,2024-01-01,2025-01-01,,warranty\n"
            "K3,V3,A1,S1,SN2,suspension,3,months,2024-01-01,2024-04-01,,warranty\n"
        ),
    }
    paths = [text(tmp_path, f"{name}.csv", content) for name, content in sheets.items()]
    report = load(workspace, paths, by="S1", administrator=True)
    assert not report.refused, [(f.row, f.column, f.text.en) for f in report.findings]
    return workspace


def test_what_is_written_is_of_the_models(chain: Workspace) -> None:
    written = write(chain.view("S1"), "catena-x")
    seen = set()
    for each in json.loads(written.content):
        name = each["semanticId"].removeprefix("urn:samm:io.catenax.")
        jsonschema.validate(each["payload"], schema(TABLES[name]))
        seen.add(name)
    assert seen == set(TABLES)
    assert written.rows == {"part": 4, "contains": 2, "lot": 4, "lot_genealogy": 2, "life_record": 2}
    assert written.left_out == 3  # the line of a firm without a number, the lot without a day, the life seen before


def test_what_is_written_comes_back_as_the_same_rows(chain: Workspace, tmp_path: Path) -> None:
    written = write(chain.view("S1"), "catena-x")
    path = tmp_path / "catena-x.json"
    path.write_bytes(written.content)
    with Workspace.open(f"sqlite:///{tmp_path / 'other' / 'graph.db'}") as other:
        load(other, [tmp_path / "organisations.csv"], by="S1", administrator=True)
        report = load(other, [path], by="S1", administrator=True)
        assert [f for f in report.findings if f.severity != "info"] == []
        for name, count in written.rows.items():
            old, new = (w.view("S1").table(name).drop("upload", "row", "extra", "owner") for w in (chain, other))
            both = old.join(new, on="key", how="semi")
            assert both.height == count, name
            lost = {"name_en"} if name == "life_record" else set()
            columns = [c for c in old.columns if c not in lost]
            assert (
                new.join(both, on="key", how="semi")
                .sort("key")
                .select(columns)
                .equals(both.sort("key").select(columns))
            ), name


def test_identifiers_that_things_came_with_stay(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text(json.dumps([part_type("P1", A), serial(4, B)]), encoding="utf-8")
    assert not load(workspace, [path], by="S1").refused
    written = json.loads(write(workspace.view("S1"), "catena-x").content)
    known = {each["payload"]["globalAssetId"] for each in written}
    assert {f"urn:uuid:{A}", f"urn:uuid:{B}"} <= known


def test_every_version_that_is_written_is_read(chain: Workspace) -> None:
    for each in json.loads(write(chain.view("S1"), "catena-x").content):
        package, version = each["semanticId"].rsplit("#", 1)
        assert package.rsplit(":", 1)[1] in ASPECTS[version].versions
