"""CycloneDX: what others write is read, what we write is valid, and read back it is the same."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings

from chaingraph import View
from ingest import writing
from ingest.reading.documents import cyclonedx
from ingest.writing import Told
from ingest.writing import cyclonedx as cyclonedx_writing
from tests.ingest import exchange
from tests.ingest.files import codes, text

NOON = dt.datetime(2025, 5, 1, 12, tzinfo=dt.UTC)


def wrong(document: str, version: SchemaVersion = SchemaVersion.V1_6) -> str | None:
    """What the validator finds wrong."""
    found = JsonStrictValidator(version).validate_str(document)
    return None if found is None else str(found)[:500]


@pytest.fixture(scope="module")
def seen(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """What L01 sees of the demo consortium."""
    with exchange.demo(demo_store, tmp_path_factory.mktemp("cyclonedx")) as workspace:
        yield workspace.view("L01")


@pytest.mark.parametrize("product", [None, "VMC850"], ids=["all", "one product"])
def test_what_is_written_of_the_demo_is_valid(seen: View, product: str | None) -> None:
    written = cyclonedx_writing.write(seen, product, NOON)
    assert wrong(written.content.decode()) is None
    document = json.loads(written.content)
    about = document["metadata"].get("component")
    assert (about and about["bom-ref"]) == (product and "L01/VMC850")
    assert document["metadata"]["timestamp"] == "2025-05-01T12:00:00Z"
    assert written == cyclonedx_writing.write(seen, product, NOON)
    assert cyclonedx_writing.write(seen, "A10", NOON).content != written.content


def test_the_demo_read_back_is_the_same(seen: View, tmp_path: Path) -> None:
    written = writing.write(seen, "cyclonedx", "VMC850")
    assert dict(written.rows) == {"part": 82, "contains": 97}
    file = tmp_path / "demo.json"
    file.write_bytes(written.content)
    with exchange.taken(file, tmp_path / "store") as (found, report):
        assert not report.severities
        exchange.same_of_product(seen, found, "L01/VMC850", ("part", "contains"))
        assert not found.count("supplies")


@settings(max_examples=30)
@given(exchange.worlds())
def test_any_world_is_written_validly_and_read_back(rows: Told) -> None:
    document = json.dumps(cyclonedx_writing.bill(rows, NOON, of_product=False))
    assert wrong(document) is None
    found = cyclonedx.read(json.loads(document))
    assert exchange.rows_of(found, "parts") == exchange.told_rows(rows, "part")
    assert exchange.rows_of(found, "contains") == exchange.told_rows(rows, "contains")
    assert found is not None
    assert not found.notes


# documents of others


def bill(version: str = "1.5", **said: Any) -> dict[str, Any]:
    """A bill of materials of somebody else."""
    return {"bomFormat": "CycloneDX", "specVersion": version, "version": 1, **said}


def device(name: str, *inside: dict[str, Any], **said: Any) -> dict[str, Any]:
    """A piece of hardware."""
    return {"type": "device", "bom-ref": name, "name": name, **({"components": list(inside)} if inside else {}), **said}


def quantity(count: str) -> dict[str, Any]:
    return {"properties": [{"name": "chaingraph:quantity", "value": count}]}


SELLER = {"name": "Nanfeng", "contact": [{"phone": "13900000000"}]}
BOARD = bill(
    metadata={"component": device("CTRL-1", version="C", supplier=SELLER)},
    components=[
        device("PCB", device("R-10k", **quantity("12")), device("MCU", group="Huaxin"), description="Board"),
        {"type": "firmware", "bom-ref": "fw", "name": "boot", "version": "2.1.0", "manufacturer": {"name": "Huaxin"}},
    ],
    dependencies=[{"ref": "CTRL-1", "dependsOn": ["PCB", "fw"]}, {"ref": "PCB", "dependsOn": ["MCU"]}],
)


def test_components_within_and_dependencies_are_lines_once() -> None:
    assert wrong(json.dumps(BOARD | {"specVersion": "1.6"})) is None
    found = cyclonedx.read(BOARD)
    assert {(row["parent"], row["child"], row["quantity"]) for row in exchange.rows_of(found, "contains")} == {
        ("CTRL-1", "PCB", "1.0"), ("CTRL-1", "Huaxin/boot", "1.0"),
        ("PCB", "R-10k", "12.0"), ("PCB", "Huaxin/MCU", "1.0"),
    }  # fmt: skip
    assert len(exchange.rows_of(found, "contains")) == 4


def test_makers_suppliers_and_versions() -> None:
    found = cyclonedx.read(BOARD)
    parts = {row["number"]: row for row in exchange.rows_of(found, "parts")}
    assert parts["CTRL-1"] == {"number": "CTRL-1", "name_en": "CTRL-1", "version": "C"}
    assert (parts["PCB"]["name_en"], parts["MCU"]["issuer"], parts["boot"]["issuer"]) == ("Board", "Huaxin", "Huaxin")
    assert exchange.rows_of(found, "supplies") == [{"part": "CTRL-1", "supplier": "Nanfeng"}]
    assert exchange.rows_of(found, "lots") == [{"part": "Huaxin/boot", "maker": "Huaxin", "code": "2.1.0"}]
    assert "13900000000" not in str(found)


def test_a_makers_bill_is_taken_in_by_its_customer(tmp_path: Path) -> None:
    file = text(tmp_path, "board.json", json.dumps(BOARD))
    with exchange.taken(file, tmp_path / "store", administrator=False) as (found, report):
        assert not codes(report)
        assert set(found.table("part").filter(~found.table("part")["stub"])["number"]) == {
            "CTRL-1", "PCB", "R-10k", "MCU", "boot",
        }  # fmt: skip
        assert found.table("part").filter(found.table("part")["stub"]).is_empty()
        assert found.count("contains") == 4


def test_names_that_look_like_totals_or_headings_are_names(tmp_path: Path) -> None:
    names = ["合计", "Total", "number", "编制:", "说明", "共 3 项"]
    file = text(tmp_path, "names.json", json.dumps(bill(components=[device(name) for name in names])))
    with exchange.taken(file, tmp_path / "store") as (found, report):
        assert not codes(report)
        assert found.table("part").sort("row")["number"].to_list() == names


def notes(document: Any) -> list[tuple[str, dict[str, Any]]]:
    found = cyclonedx.read(document)
    assert found is not None
    return [(each.code, dict(each.values)) for each in found.notes]


def test_what_cannot_be_used_is_told() -> None:
    assert notes(bill("9.9", components=[device("A")])) == [
        ("document.version", {"format": "CycloneDX", "version": "9.9", "known": "1.2, 1.3, 1.4, 1.5, 1.6, 1.7"})
    ]
    assert notes(bill(components=[{"type": "device"}])) == [("document.missing", {"what": "name"})]
    assert notes(bill(services=[{"name": "x"}])) == [("document.unused", {"what": "services"})]
    lost = bill(
        components=[device("A")], dependencies=[{"ref": "B", "dependsOn": ["A"]}, {"ref": "A", "dependsOn": ["C"]}]
    )
    assert notes(lost) == [
        ("document.bad_value", {"what": "ref", "said": "B"}),
        ("document.bad_value", {"what": "dependsOn", "said": "C"}),
    ]
    twice = bill(components=[device("A", version="1"), device("A", version="2")])
    assert notes(twice) == [("document.contradiction", {"what": "version", "said": "2", "first": "1"})]


def test_circles_and_depth_end() -> None:
    circle = bill(
        components=[device("A"), device("B")],
        dependencies=[{"ref": "A", "dependsOn": ["B"]}, {"ref": "B", "dependsOn": ["A", "B"]}],
    )
    assert len(exchange.rows_of(cyclonedx.read(circle), "contains")) == 3
    inner = device("bottom")
    for depth in range(100):
        inner = device(f"D{depth}", inner)
    assert [code for code, _ in notes(bill(components=[inner]))] == ["document.too_deep"]


def test_what_is_no_bill_is_left_to_others() -> None:
    assert cyclonedx.read({"bomFormat": "SPDX"}) is None
    assert cyclonedx.read([BOARD]) is None


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@settings(max_examples=150)
@given(exchange.damaged(BOARD))
def test_no_document_breaks_the_reader(out: Path, document: Any) -> None:
    exchange.stored(cyclonedx.read(document), out)
