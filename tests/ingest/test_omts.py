"""OMTS: what others write is read, what we write keeps the rules of the format, and read back it is the same."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chaingraph import View
from ingest.reading.documents import omts
from ingest.writing import Told
from ingest.writing import omts as omts_writing
from tests.ingest import exchange
from tests.ingest.files import codes, text

DAY = dt.date(2025, 5, 1)
SALT = "0123456789abcdef" * 4
ENDS = {
    "supplies": ("organization", "organization"),
    "composed_of": ("good", "good"),
}  # fmt: skip
"""Which nodes an edge may join (OMTS-SPEC-001, 9.5), of those that are written."""


def wrong(document: dict[str, Any]) -> list[str]:
    """Rules of level 1 that a file breaks (OMTS-SPEC-001, 9.1, 9.5 and OMTS-SPEC-002, 6.1)."""
    nodes = {each["id"]: each for each in document["nodes"]}
    found = [] if next(iter(document)) == "omts_version" else ["omts_version is not first"]
    found += [] if re.fullmatch("[0-9a-f]{64}", document["file_salt"]) else ["file_salt"]
    found += [] if len(nodes) == len(document["nodes"]) else ["L1-GDM-01"]
    found += [] if len({each["id"] for each in document["edges"]}) == len(document["edges"]) else ["L1-GDM-02"]
    reporting = document.get("reporting_entity")
    found += [] if reporting is None or nodes[reporting]["type"] == "organization" else ["L1-GDM-05"]
    for edge in document["edges"]:
        ends = (nodes.get(edge["source"], {}).get("type"), nodes.get(edge["target"], {}).get("type"))
        found += [] if None not in ends else [f"L1-GDM-03 {edge['id']}"]
        found += [] if ENDS.get(edge["type"]) == ends else [f"L1-GDM-04 {edge['id']}"]
        valid_from = edge["properties"].get("valid_from")
        found += [] if edge["type"] == "composed_of" or re.fullmatch(r"\d{4}-\d\d-\d\d", valid_from) else ["valid_from"]
    for node in document["nodes"]:
        found += [] if isinstance(node["name"], str) else ["name"]
        for each in node.get("identifiers", []):
            found += [] if all(each[name] for name in ("scheme", "value", "authority")) else ["L1-EID-03"]
    return found


@pytest.fixture(scope="module")
def seen(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """What L01 sees of the demo consortium."""
    with exchange.demo(demo_store, tmp_path_factory.mktemp("omts")) as workspace:
        yield workspace.view("L01")


@pytest.mark.parametrize("product", [None, "VMC850"], ids=["all", "one product"])
def test_what_is_written_of_the_demo_keeps_the_rules(seen: View, product: str | None) -> None:
    written = omts_writing.write(seen, product, DAY, SALT)
    document = json.loads(written.content)
    assert not wrong(document)
    assert document["reporting_entity"] == "org:L01"
    assert written == omts_writing.write(seen, product, DAY, SALT)
    assert json.loads(omts_writing.write(seen, product, DAY).content)["file_salt"] != SALT


def test_the_demo_read_back_is_the_same(seen: View, tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_bytes(omts_writing.write(seen, None, DAY, SALT).content)
    with exchange.taken(file, tmp_path / "store") as (found, report):
        assert not codes(report)
        for name in ("organisation", "site", "supplies"):
            wanted = exchange.table(seen, name)
            assert wanted.height > 30
            assert wanted.equals(exchange.table(found, name)), name
    file.write_bytes(omts_writing.write(seen, "VMC850", DAY, SALT).content)
    with exchange.taken(file, tmp_path / "product") as (found, report):
        assert not codes(report)
        exchange.same_of_product(seen, found, "L01/VMC850", ("part", "contains", "supplies"))


@settings(max_examples=60)
@given(exchange.worlds())
def test_any_world_is_written_by_the_rules_and_read_back(rows: Told) -> None:
    document = json.loads(json.dumps(omts_writing.graph(rows, DAY, SALT)))
    assert not wrong(document)
    found = omts.read(document)
    sheets = {"organisation": "organisations", "site": "sites", "part": "parts", "contains": "contains",
              "supplies": "supplies", "lot": "lots"}  # fmt: skip
    for name, sheet in sheets.items():
        assert exchange.rows_of(found, sheet) == exchange.told_rows(rows, name), name
    assert found is not None
    assert not found.notes


# documents of others


def node(at: str, sort: str, **said: Any) -> dict[str, Any]:
    return {"id": at, "type": sort, "name": said.pop("name", at), **said}


def edge(sort: str, source: str, target: str, **said: Any) -> dict[str, Any]:
    return {"id": f"{sort} {source} {target}", "type": sort, "source": source, "target": target, "properties": said}


def graph(nodes: list[dict[str, Any]], *edges: dict[str, Any], version: str = "0.1.0") -> dict[str, Any]:
    return {
        "omts_version": version, "snapshot_date": "2026-02-01", "file_salt": SALT, "nodes": nodes, "edges": list(edges),
    }  # fmt: skip


BEARINGS = graph(
    [
        node("o1", "organization", name="南风轴承", identifiers=[
            {"scheme": "internal", "value": "V-1", "authority": "erp"},
            {"scheme": "vat", "value": "91310115DEM000014Q", "authority": "CN"},
        ]),
        node("o2", "organization", name="Pump Works", identifiers=[{"scheme": "lei", "value": "LEI2"}]),
        node("o3", "organization", name="Group"),
        node("f1", "facility", name="Plant 1", geo={"lat": 31.2, "lon": 121.5}),
        node("g1", "good", name="Pump", commodity_code="8413.70"),
        node("g2", "good", name="Bearing", identifiers=[{"scheme": "org.gs1.gtin", "value": "0506"}]),
        node("p1", "person", name="Jane Doe"),
        node("x1", "boundary_ref", identifiers=[{"scheme": "opaque", "value": "77"}]),
        node("a1", "attestation", name="ISO 9001"),
    ],
    edge(
        "supplies", "o1", "o2",
        commodity="Bearing", share_of_buyer_demand=35, sole_source=True, valid_from="2024-01-01",
    ),
    edge("composed_of", "g1", "g2", quantity=2, unit="pcs"),
    edge("operates", "o2", "f1", valid_from="2020-01-01"),
    edge("legal_parentage", "o1", "o3", valid_from="2020-01-01"),
    edge("supplies", "x1", "o1", valid_from="2024-01-01"),
)  # fmt: skip


def test_firms_sites_goods_and_who_supplies_whom() -> None:
    found = omts.read(BEARINGS)
    assert exchange.rows_of(found, "organisations") == exchange.sorted_rows([
        {"id": "V-1", "name_zh": "南风轴承", "uscc": "91310115DEM000014Q", "parent": "Group"},
        {"id": "LEI2", "name_en": "Pump Works", "lei": "LEI2"},
        {"id": "Group", "name_en": "Group"},
    ])  # fmt: skip
    assert exchange.rows_of(found, "sites") == [
        {"id": "Plant 1", "organisation": "LEI2", "name_en": "Plant 1", "latitude": "31.2", "longitude": "121.5"}
    ]
    assert exchange.rows_of(found, "supplies") == [
        {
            "part": "0506", "supplier": "V-1", "customer": "LEI2", "status": "sole", "share": "0.35",
            "valid_from": "2024-01-01",
        }
    ]  # fmt: skip
    assert exchange.rows_of(found, "contains") == [
        {"parent": "Pump", "child": "0506", "quantity": "2.0", "unit": "pcs"}
    ]


def notes(document: Any) -> list[tuple[str, dict[str, Any]]]:
    found = omts.read(document)
    assert found is not None
    return [(each.code, dict(each.values)) for each in found.notes]


def test_persons_are_not_read_and_what_is_hidden_is_counted() -> None:
    assert "Jane" not in str(omts.read(BEARINGS))
    assert notes(BEARINGS) == [
        ("document.personal", {"count": 1}),
        ("document.hidden", {"count": 1}),
        ("document.unused", {"what": "attestation (1)"}),
    ]


def test_a_supply_of_nobody_knows_what_is_told() -> None:
    firms = [node("a", "organization"), node("b", "organization")]
    missing = [("document.missing", {"what": "commodity"})]
    assert notes(graph(firms, edge("supplies", "a", "b"))) == missing
    twins = [*firms, *(node(f"g{n}", "good", name=f"G{n}", commodity_code="73") for n in range(2))]
    assert notes(graph(twins, edge("supplies", "a", "b", commodity="73"))) == missing
    assert notes(graph(twins, edge("supplies", "a", "b", commodity="G1"))) == []


def test_what_cannot_be_used_is_told() -> None:
    assert notes(graph([], version="3.0.0")) == [
        ("document.version", {"format": "OMTS", "version": "3.0.0", "known": "0.0, 0.1"})
    ]
    firms = [node("a", "organization"), node("b", "organization"), node("g", "good")]
    too_much = edge("supplies", "a", "b", commodity="g", share_of_buyer_demand=350)
    assert notes(graph(firms, too_much)) == [("document.bad_value", {"what": "share_of_buyer_demand", "said": "350"})]
    assert notes(graph(firms, edge("composed_of", "g", "nowhere"))) == [
        ("document.bad_value", {"what": "composed_of", "said": "good → –"})
    ]
    assert notes(graph([node("l", "consignment", lot_id="L1")])) == [("document.missing", {"what": "lot_id, good"})]
    gone = node("a", "organization", _operation="remove")
    assert notes(graph([gone])) == [("document.unused", {"what": "_operation: remove (1)"})]


def test_a_file_of_somebody_is_taken_in(tmp_path: Path) -> None:
    file = text(tmp_path, "bearings.omts", json.dumps(BEARINGS))
    with exchange.taken(file, tmp_path / "store") as (found, report):
        assert [each[0] for each in codes(report)] == ["supplies.share_sum"]
        assert found.table("supplies").select("part", "supplier", "customer", "share").rows() == [
            ("L01/0506", "V-1", "LEI2", 0.35)
        ]


def test_what_is_no_such_file_is_left_to_others() -> None:
    assert omts.read({"nodes": []}) is None
    assert omts.read("omts_version") is None


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@settings(max_examples=150)
@given(exchange.damaged(BEARINGS))
def test_no_document_breaks_the_reader(out: Path, document: Any) -> None:
    exchange.stored(omts.read(document), out)
