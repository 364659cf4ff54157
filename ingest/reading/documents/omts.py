"""OMTS, the Open Multi-Tier Supply format (github.com/BayFX/omts, a draft, version 0.1) as JSON: a graph of firms,
facilities, goods and consignments.

Persons are not read, nor what the sender has hidden. A supply without a good cannot be stored: it says of what it is
by its `commodity`, where exactly one good has that name or commodity code.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from . import Document, Value, child, objects, text

OURS = "org.chaingraph."
"""What the names of properties begin with that the format has not."""
_KNOWN = ("0.0", "0.1")
_FIELD = re.compile(r"[a-z][a-z_]{0,31}")
_USCC = re.compile(r"[0-9A-Z]{18}")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def read(document: Any) -> Document | None:
    """What a file says; None for what is no such file."""
    if not isinstance(document, dict) or "omts_version" not in document:
        return None
    found = Document("OMTS")
    version = text(document.get("omts_version")) or "?"
    if ".".join(version.split(".")[:2]) not in _KNOWN:
        found.note("document.version", format="OMTS", version=version, known="0.0, 0.1")
    _Graph(found).read(document)
    return found


def ours(thing: object) -> dict[str, Value]:
    """Fields that properties of our own name."""
    found: dict[str, Value] = {}
    for name, value in thing.items() if isinstance(thing, dict) else ():
        field = name.removeprefix(OURS)
        if name.startswith(OURS) and _FIELD.fullmatch(field) and isinstance(value, str | int | float | bool):
            found[field] = value
    return found


def _day(said: object) -> str | None:
    return (text(said) or "")[:10] or None


class _Graph:
    """Nodes by their ids, and what the rows of each are called by."""

    def __init__(self, found: Document) -> None:
        self.found = found
        self.nodes: dict[str, tuple[str, str]] = {}
        """Type, and how rows refer to it, by id."""
        self.goods: dict[str, set[str]] = {}
        """Goods by name and by commodity code."""
        self.skipped: Counter[str] = Counter()

    def read(self, document: Mapping[str, Any]) -> None:
        """Nodes, then the edges between them."""
        edges = objects(document.get("edges"))
        operators = {
            text(each.get("target")): text(each.get("source")) for each in edges if each.get("type") == "operates"
        }
        parents = {
            text(each.get("source")): text(each.get("target"))
            for each in edges
            if each.get("type") == "legal_parentage"
        }
        nodes = objects(document.get("nodes"))
        firms = {text(each.get("id")): _code(each) for each in nodes if each.get("type") == "organization"}
        for number, node in enumerate(nodes):
            self._node(node, f"/nodes/{number}", firms, operators, parents)
        for number, edge in enumerate(edges):
            self._edge(edge, f"/edges/{number}")
        for sort, count in self.skipped.items():
            if sort in {"person", "boundary_ref"}:
                code = "document.personal" if sort == "person" else "document.hidden"
                self.found.note(code, "/nodes", count=count)
            else:
                self.found.note("document.unused", "/", what=f"{sort} ({count})")

    def _node(
        self,
        node: Mapping[str, Any],
        place: str,
        firms: Mapping[str | None, str | None],
        operators: Mapping[str | None, str | None],
        parents: Mapping[str | None, str | None],
    ) -> None:
        at, sort = text(node.get("id")), text(node.get("type")) or "–"
        code = _code(node)
        if at is None or (code is None and sort in {"organization", "facility", "good", "consignment"}):
            self.found.note("document.missing", place, what="id, name")
            return
        code = code or at
        exact = ours(node)
        stub = exact.pop("stub", None)
        if text(node.get("_operation")) == "remove":
            self.skipped["_operation: remove"] += 1
        elif sort == "organization":
            names = _names(node)
            values = {"id": code, **names, "uscc": _uscc(node), "parent": firms.get(parents.get(at)), **_known(node)}
            if not stub:
                self.found.merge("organisations", ("id",), place, **(values | exact))
            self.nodes[at] = (sort, code)
        elif sort == "facility":
            operator = firms.get(text(node.get("operator")) or operators.get(at))
            geo = node.get("geo")
            values = {"id": code, "organisation": operator, **_names(node)}
            values |= {"latitude": text(child(geo, "lat")), "longitude": text(child(geo, "lon"))}
            if not stub:
                self.found.merge("sites", ("id",), place, **(values | exact))
            self.nodes[at] = (sort, code)
        elif sort == "good":
            self._good(node, at, code, exact, None if stub else place)
        elif sort == "consignment":
            self._lot(node, exact, place)
        else:
            self.nodes[at] = (sort, code)
            self.skipped[sort] += 1

    def _good(self, node: Mapping[str, Any], at: str, code: str, exact: dict[str, Value], place: str | None) -> None:
        issuer, number = text(exact.get("issuer")), text(exact.get("number")) or code
        values: dict[str, Value] = {"number": number, "issuer": issuer}
        if not exact:
            values |= _names(node)
        values |= {"commodity code": text(node.get("commodity_code")), **_known(node)}
        if place is not None:
            self.found.merge("parts", ("number", "issuer"), place, **(values | exact))
        reference = f"{issuer}/{number}" if issuer else number
        self.nodes[at] = ("good", reference)
        for name in {text(node.get("name")), text(node.get("commodity_code"))} - {None}:
            self.goods.setdefault(str(name), set()).add(reference)

    def _lot(self, node: Mapping[str, Any], exact: dict[str, Value], place: str) -> None:
        values: dict[str, Value] = {
            "code": text(node.get("lot_id")), "quantity": text(node.get("quantity")),
            "produced_on": _day(node.get("production_date")), **exact,
        }  # fmt: skip
        if values["code"] is None or "part" not in values:
            self.found.note("document.missing", place, what="lot_id, good")
            return
        self.found.add("lots", **values)

    def _edge(self, edge: Mapping[str, Any], place: str) -> None:
        sort = text(edge.get("type")) or "–"
        ends = [self.nodes.get(text(edge.get(name)) or "") for name in ("source", "target")]
        if sort in {"operates", "legal_parentage"}:
            return
        if sort not in {"supplies", "sells_to", "composed_of"}:
            self.skipped[sort] += 1
            return
        (source, one), (target, other) = (end or ("", "") for end in ends)
        if "boundary_ref" in {source, target}:
            return  # the hidden end is counted
        said = edge.get("properties")
        if sort == "composed_of":
            if (source, target) != ("good", "good"):
                self.found.note("document.bad_value", place, what=sort, said=f"{source or '–'} → {target or '–'}")
                return
            line: dict[str, Value] = {"parent": one, "child": other, "quantity": text(child(said, "quantity"))}
            line |= {"unit": text(child(said, "unit"))}
            line |= {name: _day(child(said, name)) for name in ("valid_from", "valid_to")}
            self.found.add("contains", **(line | ours(said)))
        elif (source, target) != ("organization", "organization"):
            self.found.note("document.bad_value", place, what=sort, said=f"{source or '–'} → {target or '–'}")
        else:
            self._supply(one, other, said, place)

    def _supply(self, supplier: str, customer: str, said: object, place: str) -> None:
        exact = ours(said)
        goods = self.goods.get(text(child(said, "commodity")) or "", set())
        part = text(exact.get("part")) or (next(iter(goods)) if len(goods) == 1 else None)
        if part is None:
            self.found.note("document.missing", place, what="commodity")
            return
        share = text(child(said, "share_of_buyer_demand"))
        values: dict[str, Value] = {
            "part": part, "supplier": supplier, "customer": customer,
            "status": "sole" if child(said, "sole_source") is True else None,
            "lead_time_days": text(child(said, "lead_time_days")), "valid_from": _day(child(said, "valid_from")),
        }  # fmt: skip
        if share is not None:
            try:
                values["share"] = float(share) / 100
            except ValueError:
                values["share"] = math.nan
            if not 0 <= float(values["share"] or 0) <= 1:
                self.found.note("document.bad_value", place, what="share_of_buyer_demand", said=share)
                values["share"] = None
        if exact.pop("valid_from_unknown", None) is not None:
            values["valid_from"] = None
        self.found.add("supplies", **(values | exact))


def _code(node: Mapping[str, Any]) -> str | None:
    """What a node is called here: its number in the sender's system, else another identifier, else its name."""
    known = {(text(each.get("scheme")) or "").lower(): text(each.get("value")) for each in _identifiers(node)}
    for scheme in ("internal", "org.gs1.gtin", "lei", "duns", "gln"):
        if value := known.get(scheme):
            return value
    return text(node.get("name"))


def _identifiers(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The identifiers of a node; early drafts call them so."""
    return objects(node.get("identifiers")) or objects(node.get("external_ids"))


def _known(node: Mapping[str, Any]) -> dict[str, Value]:
    """Identifiers that have no field, kept beside the row."""
    wanted = {"lei": "lei", "duns": "duns", "gln": "gln", "org.gs1.gtin": "gtin"}
    found: dict[str, Value] = {}
    for each in _identifiers(node):
        if name := wanted.get((text(each.get("scheme")) or "").lower()):
            found.setdefault(name, text(each.get("value")))
    return found


def _names(node: Mapping[str, Any]) -> dict[str, Value]:
    """The name as a field of its language; of a node that we have written the fields of our own say it."""
    name = text(node.get("name"))
    if any(text(each.get("authority")) == "chaingraph" for each in _identifiers(node)):
        return {}
    return {"name_zh" if name and _HAN.search(name) else "name_en": name}


def _uscc(node: Mapping[str, Any]) -> str | None:
    """The unified social credit code of a firm in China, which is its number with the tax authority, too."""
    for each in _identifiers(node):
        value = text(each.get("value")) or ""
        chinese = text(each.get("authority")) == "CN" or text(node.get("jurisdiction")) == "CN"
        if chinese and text(each.get("scheme")) in {"vat", "nat-reg"} and _USCC.fullmatch(value):
            return value
    return None
