"""OMTS 0.1, the Open Multi-Tier Supply format (github.com/BayFX/omts, a draft), as JSON.

Fields that the format has not are properties `org.chaingraph.FIELD`. It wants a day for the start of every supply;
where none is known it gets the day of the snapshot, and `org.chaingraph.valid_from_unknown` says so.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

from chaingraph import View
from ingest.writing import Row, Told, Written, names, others, reference, told

KINDS = ("organisation", "site", "part", "contains", "supplies", "lot")
OURS = "org.chaingraph."
_SYSTEM = "chaingraph"
Thing = dict[str, Any]


def write(view: View, product: str | None = None, on: dt.date | None = None, salt: str | None = None) -> Written:
    """A snapshot of the day `on` (today by default), with a `salt` of 64 hexadecimal digits (a random one by default).

    A supply that does not say its customer has no edge; it is counted as left out.
    """
    rows = told(view, KINDS, product)
    day = on or dt.datetime.now(dt.UTC).date()
    document = graph(rows, day, salt or secrets.token_hex(32))
    counts = dict(rows.counts)
    without = sum("customer" not in each for each in rows.rows["supplies"])
    counts["supplies"] -= without
    return Written(json.dumps(document, ensure_ascii=False, indent=1).encode(), counts, rows.left_out + without)


def graph(rows: Told, day: dt.date, salt: str) -> Thing:
    """The document; its first field is the version, by which readers tell the format."""
    nodes = {
        **{f"org:{each['id']}": _organisation(each) for each in rows.rows["organisation"]},
        **{f"good:{reference(each)}": _good(each) for each in rows.rows["part"]},
    }
    edges = []
    for number, line in enumerate(rows.rows["contains"], 1):
        ends = [_known(nodes, "good", str(line[end])) for end in ("parent", "child")]
        edges.append(_edge(f"line:{number}", "composed_of", ends, _line(line)))
    for number, supply in enumerate(rows.rows["supplies"], 1):
        if "customer" in supply:
            ends = [_known(nodes, "org", str(supply[end])) for end in ("supplier", "customer")]
            edges.append(_edge(f"supply:{number}", "supplies", ends, _supply(supply, nodes, day)))
    for each in rows.rows["site"]:
        nodes[f"site:{each['id']}"] = _site(each, nodes)
    for number, each in enumerate(rows.rows["lot"], 1):
        nodes[f"lot:{number}"] = _lot(each)
    document: Thing = {
        "omts_version": "0.1.0", "snapshot_date": day.isoformat(), "file_salt": salt, "disclosure_scope": "partner",
    }  # fmt: skip
    if f"org:{rows.viewer}" in nodes:
        document["reporting_entity"] = f"org:{rows.viewer}"
    return {**document, "nodes": [{"id": at, **node} for at, node in nodes.items()], "edges": edges}


def _known(nodes: dict[str, Thing], sort: str, code: str) -> str:
    """The id of a node; one that nobody has described is made."""
    at = f"{sort}:{code}"
    if at not in nodes:
        made = {"id": code} if sort == "org" else dict(zip(("issuer", "number"), code.split("/", 1), strict=True))
        nodes[at] = (_organisation if sort == "org" else _good)({**made, "stub": True})
    return at


def _ours(row: Row, *left: str) -> Thing:
    found = {f"{OURS}{name}": _json(value) for name, value in others(row, *left)}
    return {**found, f"{OURS}stub": True} if row.get("stub") else found


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


def _node(sort: str, name: str, code: str, row: Row) -> Thing:
    identifiers = [{"scheme": "internal", "value": code, "authority": _SYSTEM}]
    made: Thing = {"type": sort, "name": name, "identifiers": identifiers, "data_quality": {"confidence": "reported"}}
    return made | _ours(row)


def _name(row: Row, code: str) -> str:
    return next(iter(names(row).values()), code)


def _organisation(row: Row) -> Thing:
    made = _node("organization", _name(row, str(row["id"])), str(row["id"]), row)
    if "uscc" in row:  # which is the firm's number with the tax authority, too
        made["identifiers"].append({"scheme": "vat", "value": row["uscc"], "authority": "CN"})
        made["jurisdiction"] = "CN"
    return made


def _good(row: Row) -> Thing:
    return _node("good", _name(row, str(row["number"])), reference(row), row)


def _site(row: Row, nodes: dict[str, Thing]) -> Thing:
    made = _node("facility", _name(row, str(row["id"])), str(row["id"]), row)
    if "organisation" in row:
        made["operator"] = _known(nodes, "org", str(row["organisation"]))
    if "latitude" in row and "longitude" in row:
        made["geo"] = {"lat": row["latitude"], "lon": row["longitude"]}
    return made


def _lot(row: Row) -> Thing:
    made = _node("consignment", str(row["code"]), str(row["code"]), row)
    made["lot_id"] = row["code"]
    if "quantity" in row:
        made["quantity"] = row["quantity"]
    if "produced_on" in row:
        made["production_date"] = row["produced_on"].isoformat()
    return made


def _edge(at: str, sort: str, ends: list[str], properties: Thing) -> Thing:
    return {"id": at, "type": sort, "source": ends[0], "target": ends[1], "properties": properties}


def _line(row: Row) -> Thing:
    own = ("quantity", "unit", "valid_from", "valid_to")
    return {name: _json(row[name]) for name in own if name in row} | _ours(row, "parent", "child", *own)


def _supply(row: Row, nodes: dict[str, Thing], day: dt.date) -> Thing:
    good = nodes.get(f"good:{row['part']}")
    made: Thing = {"valid_from": _json(row.get("valid_from", day)), "data_quality": {"confidence": "reported"}}
    made["commodity"] = good["name"] if good else str(row["part"])
    if "valid_from" not in row:
        made[f"{OURS}valid_from_unknown"] = True
    if "share" in row:
        made["share_of_buyer_demand"] = 100 * row["share"]
    if float(row.get("lead_time_days", 0.5)).is_integer():
        made["lead_time_days"] = int(row["lead_time_days"])
    if row.get("status") == "sole":
        made["sole_source"] = True
    return made | _ours(row, "supplier", "customer", "valid_from")
