"""Asset Administration Shells (IDTA 01001-3-0): an environment with a shell for each part, and its submodels.

Written are bills of materials (IDTA 02011-1-1), reliability (02013-1-0) and product change notifications (02036-1-0).
What these have no element for stands beside it, with a meaning of our own (`urn:chaingraph:KIND:FIELD`). Nothing is
invented: of a template's mandatory elements those are missing that the graph does not have (a maker's address).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from chaingraph import View
from ingest.writing import Row, Told, Written, names, others, reference, text, told

Element = dict[str, Any]
KINDS = ("part", "part_alias", "contains", "declared_value", "change_notice")
HOURS_A_YEAR = 8760.0
_YEARS = 10
"""Mean times are whole years in the standard's element; below this many the rounding would be more than 5 %."""
_NAME, _TEXT = 128, 1023
"""The most characters of a name and of a text in a language (IDTA 01001)."""
_LONGEST = 1800
"""Of at most 2000 characters of an identifier so many are a part's."""
_ILLEGAL = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_TYPES: Mapping[type, str] = {bool: "xs:boolean", int: "xs:integer", float: "xs:double", dt.date: "xs:date"}
_BOM = "https://admin-shell.io/idta/HierarchicalStructures"
_PCN = "http://admin-shell.io/VDMA/Fluidics/ProductChangeNotification"


def write(view: View, product: str | None = None) -> Written:
    """An environment as JSON."""
    rows = told(view, KINDS, product)
    content = json.dumps(environment(rows), ensure_ascii=False, indent=1).encode()
    return Written(content, rows.counts, rows.left_out)


def environment(rows: Told) -> Element:
    """Shells and submodels of all parts."""
    about = {name: rows.by(name, field) for name, field in _ABOUT}
    shells, submodels = [], []
    for part in rows.rows["part"]:
        at = reference(part)
        mine = {name: found.get(at, []) for name, found in about.items()}
        if part["stub"] and not any(mine.values()):
            continue
        own = [
            made
            for made in (
                _data(part, at, mine["part_alias"]),
                _structure(at, mine["contains"]),
                _reliability(at, mine["declared_value"]),
                _changes(at, part, mine["change_notice"]),
            )
            if made is not None
        ]
        submodels += own
        shells.append(_shell(part, at, mine["part_alias"], own))
    lists = {"assetAdministrationShells": shells, "submodels": submodels}
    return {name: each for name, each in lists.items() if each}  # a list may be missing and may not be empty


_ABOUT = (("part_alias", "part"), ("contains", "parent"), ("declared_value", "part"), ("change_notice", "part"))


def asset_id(part: str) -> str:
    """The global id of the asset that a part is."""
    return _urn("asset", part)


def _urn(sort: str, part: str) -> str:
    """An identifier of ours; a digest stands for a part whose number would make it longer than is allowed."""
    said = quote(part, safe="")
    return f"urn:chaingraph:{sort}:{said if len(said) <= _LONGEST else hashlib.sha256(said.encode()).hexdigest()}"


def _clean(said: str) -> str:
    """A text without the characters that no XML may have, so neither a value here."""
    return _ILLEGAL.sub("\ufffd", said)


def external(*values: str) -> Element:
    """A reference to something outside."""
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": each} for each in values]}


def _shell(part: Row, at: str, aliases: Sequence[Row], submodels: Sequence[Element]) -> Element:
    information: Element = {
        "assetKind": "Type",
        "globalAssetId": asset_id(at),
        "specificAssetIds": [_identifier("manufacturerPartId", part["number"], part["issuer"]), *_aliases(aliases)],
    }
    made: Element = {
        "modelType": "AssetAdministrationShell",
        "id": _urn("aas", at),
        "idShort": _id_short("Part", str(part["number"])),
        "assetInformation": information,
    }
    if called := _languages(names(part), _NAME):
        made["displayName"] = called
    if submodels:
        made["submodels"] = [
            {"type": "ModelReference", "keys": [{"type": "Submodel", "value": each["id"]}]} for each in submodels
        ]
    return made


def _identifier(name: str, value: object, subject: object) -> Element:
    return {"name": name, "value": _clean(str(value)), "externalSubjectId": external(_clean(str(subject)))}


def _aliases(aliases: Sequence[Row]) -> Iterable[Element]:
    """Other numbers and drawings; those that go together are in the data of the part."""
    for each in aliases:
        if "number" not in each or "drawing_no" not in each:
            sort, value = (
                ("customerPartId", each["number"]) if "number" in each else ("drawingNumber", each["drawing_no"])
            )
            yield _identifier(sort, value, each["organisation"])


def _id_short(start: str, rest: str) -> str:
    return f"{start}_{re.sub(r'[^A-Za-z0-9]', '_', rest)}"[:_NAME].rstrip("_")


def _languages(said: Mapping[str, str], longest: int) -> list[Element]:
    return [{"language": language, "text": _clean(each[:longest])} for language, each in said.items()]


def _submodel(name: str, meaning: str, at: str, elements: Sequence[Element]) -> Element:
    return {
        "modelType": "Submodel", "id": _urn(f"submodel:{name}", at), "idShort": name,
        "semanticId": external(meaning), "submodelElements": list(elements),
    }  # fmt: skip


def _property(name: str, meaning: str, value: object, value_type: str | None = None) -> Element:
    said = value_type or _TYPES.get(type(value), "xs:string")
    return {
        "modelType": "Property", "idShort": name, "semanticId": external(meaning), "valueType": said,
        "value": _clean(text(value)),
    }  # fmt: skip


def _words(name: str, meaning: str, said: str) -> Element:
    """A text in its language."""
    language = "zh" if _HAN.search(said) else "en"
    return {
        "modelType": "MultiLanguageProperty", "idShort": name, "semanticId": external(meaning),
        "value": _languages({language: said}, _TEXT),
    }  # fmt: skip


def _collection(name: str | None, meaning: str, elements: Iterable[Element]) -> Element:
    inside = list(elements)
    made: Element = {"modelType": "SubmodelElementCollection", "semanticId": external(meaning)}
    return made | ({"idShort": name} if name else {}) | ({"value": inside} if inside else {})


def _list(name: str, meaning: str, each: str, elements: Iterable[Element]) -> Element:
    return {
        "modelType": "SubmodelElementList", "idShort": name, "semanticId": external(meaning),
        "semanticIdListElement": external(each), "typeValueListElement": "SubmodelElementCollection",
        "value": list(elements),
    }  # fmt: skip


def _ours(kind: str, row: Row, *left: str) -> list[Element]:
    """The fields of a row but for these, by our own meanings."""
    return [
        _property("".join(piece.capitalize() for piece in name.split("_")), f"urn:chaingraph:{kind}:{name}", value)
        for name, value in others(row, *left)
    ]


def _data(part: Row, at: str, aliases: Sequence[Row]) -> Element | None:
    """What of a part is in no standard submodel."""
    fitting = [f"name_{language}" for language, said in names(part).items() if len(said) <= _NAME]
    elements = _ours("part", part, "number", "issuer", *fitting)
    if part["stub"]:
        elements.append(_property("Stub", "urn:chaingraph:part:stub", value=True))
    both = [each for each in aliases if "number" in each and "drawing_no" in each]
    elements += [
        _collection(f"Alias_{n:03}", "urn:chaingraph:part_alias:1", _ours("part_alias", each, "part"))
        for n, each in enumerate(both, 1)
    ]
    return _submodel("PartData", "urn:chaingraph:part:1", at, elements) if elements else None


def _structure(at: str, lines: Sequence[Row]) -> Element | None:
    """The lines of a bill of materials of one level (IDTA 02011)."""
    if not lines:
        return None
    made = _submodel("HierarchicalStructures", f"{_BOM}/1/1/Submodel", at, [])
    nodes = [_node(f"Node_{n:03}", line) for n, line in enumerate(lines, 1)]
    relations = [
        {
            "modelType": "RelationshipElement", "idShort": f"HasPart_{n:03}",
            "semanticId": external(f"{_BOM}/HasPart/1/0"),
            "first": _within(made["id"], "EntryNode"), "second": _within(made["id"], "EntryNode", node["idShort"]),
        }
        for n, node in enumerate(nodes, 1)
    ]  # fmt: skip
    entry = {
        "modelType": "Entity", "idShort": "EntryNode", "semanticId": external(f"{_BOM}/EntryNode/1/0"),
        "entityType": "SelfManagedEntity", "globalAssetId": asset_id(at), "statements": [*nodes, *relations],
    }  # fmt: skip
    archetype = _property("ArcheType", f"{_BOM}/ArcheType/1/0", "OneDown")
    made["submodelElements"] = [entry, archetype]
    return made


def _within(submodel: str, *entities: str) -> Element:
    keys = [{"type": "Submodel", "value": submodel}, *({"type": "Entity", "value": each} for each in entities)]
    return {"type": "ModelReference", "keys": keys}


def _node(name: str, line: Row) -> Element:
    quantity = float(line["quantity"])
    whole = quantity.is_integer()
    statements = _ours("contains", line, "parent", "child", *(["quantity"] if whole else []))
    if whole:
        statements.insert(0, _property("BulkCount", f"{_BOM}/BulkCount/1/0", int(quantity), "xs:unsignedLong"))
    issuer, _, number = str(line["child"]).partition("/")
    return {
        "modelType": "Entity", "idShort": name, "semanticId": external(f"{_BOM}/Node/1/0"),
        "entityType": "SelfManagedEntity", "globalAssetId": asset_id(str(line["child"])),
        "specificAssetIds": [_identifier("manufacturerPartId", number, issuer)], "statements": statements,
    }  # fmt: skip


def _reliability(at: str, values: Sequence[Row]) -> Element | None:
    """Declared values, one set each (IDTA 02013); figures of a single failure mode only by our own meanings."""
    if not values:
        return None
    elements = [_property("NumberOfReliabilitySets", "0112/2///62683#ACE006#001", len(values), "xs:int")]
    for n, each in enumerate(values, 1):
        if any("condition" in other for other in values):
            condition = (
                [_property("OtherOperatingConditions", "0112/2///62683#ACE070#001", each["condition"])]
                if "condition" in each
                else []
            )
            name = f"OperatingConditionsOfReliabilityCharacteristics_{n:02}"
            elements.append(_collection(name, "0112/2///62683#ACG071#001", condition))
        inside = [*_figures(each), *_ours("declared_value", each, "part")]
        elements.append(_collection(f"ReliabilityCharacteristics_{n:02}", "0112/2///62683#ACG080#001", inside))
    return _submodel("Reliability", "https://admin-shell.io/idta/iec62683/1/0/Reliability", at, elements)


def _figures(row: Row) -> Iterable[Element]:
    """The standard's own elements, where they can say it."""
    if "mode" in row:
        return
    value, years = float(row["value"]), float(row["value"]) / HOURS_A_YEAR
    if row["metric"] == "mtbf" and row["unit"] == "h" and years >= _YEARS and years < 2**31:
        yield _property("MTBF", "0112/2///62683#ACE062#001", round(years), "xs:int")
    elif row["metric"] == "b10" and row["unit"] == "cycles" and value.is_integer() and value < 2**31:
        yield _property("B10", "https://admin-shell.io/idta/Reliability/B10/1/0", int(value), "xs:int")


def _changes(at: str, part: Row, notices: Sequence[Row]) -> Element | None:
    """Change notices (IDTA 02036), a record each."""
    if not notices:
        return None
    records = _list(
        "Records",
        "0173-1#02-ABI294#003",
        "0173-1#02-ABI294#003/0173-1#01-AHE583#003",
        [_record(at, part, each) for each in notices],
    )
    return _submodel("ProductChangeNotifications", "0173-1#01-AHE582#003", at, [records])


_MILESTONES = {"effective_on": "PCN", "last_order_on": "EOS", "last_delivery_on": "LTD"}


def _record(at: str, part: Row, row: Row) -> Element:
    ended = row.get("category") == "discontinuation"
    elements = [
        _property("ManufacturerChangeID", "0173-1#02-ABG772#002", row["id"]),
        _property("PcnType", f"{_PCN}/PcnType/1/0", "PDN" if ended else "PCN"),
    ]
    if "maker" in row:
        made_by = [_words("ManufacturerName", "0173-1#02-AAO677#004", row["maker"])]
        elements.append(_collection("Manufacturer", "0173-1#02-ABI295#003/0173-1#01-AHE584#003", made_by))
    milestones = [_milestone(sort, row[field]) for field, sort in _MILESTONES.items() if field in row]
    if milestones:
        data = f"{_PCN}/LifeCycleData"
        elements.append(_list("LifeCycleData", f"{data}/List/1/0", f"{data}/Milestone/1/0", milestones))
    if "reason" in row:
        elements.append(_words("PcnReasonComment", "0173-1#02-ABF814#002", row["reason"]))
    if "description" in row:
        information = f"{_PCN}/PcnChangeInformation"
        detail = _words("ChangeDetail", f"{information}/ChangeDetail/1/0", row["description"])
        elements.append(_collection("PcnChangeInformation", f"{information}/1/0", [detail]))
    if "announced_on" in row:
        elements.append(_property("DateOfRecord", "0173-1#02-ABF816#003", _moment(row["announced_on"]), "xs:dateTime"))
    item = [
        _words("OrderCodeOfManufacturer", "0173-1#02-AAO227#004", part["number"]),
        {
            "modelType": "ReferenceElement", "idShort": "ManufacturerAssetID",
            "semanticId": external("0173-1#02-ABG775#002"), "value": external(asset_id(at)),
        },
    ]  # fmt: skip
    elements.append(_collection("ItemOfChange", "0173-1#02-ABI297#003/0173-1#01-AHE586#003", item))
    if "replacement" in row:
        code = _words("OrderCodeOfManufacturer", "0173-1#02-AAO227#004", row["replacement"].partition("/")[2])
        recommended = f"{_PCN}/RecommendedItem"
        items = [_collection(None, f"{recommended}/1/0", [code])]
        elements.append(_list("RecommendedItems", f"{recommended}/List/1/0", f"{recommended}/1/0", items))
    return _collection(None, "0173-1#02-ABI294#003/0173-1#01-AHE583#003", [*elements, _exact(row)])


def _exact(row: Row) -> Element:
    """All fields of a notice, in a collection: some have the names of the standard's elements."""
    return _collection("ChangeNotice", "urn:chaingraph:change_notice:1", _ours("change_notice", row, "part"))


def _milestone(sort: str, day: dt.date) -> Element:
    elements = [
        _property("MilestoneClassification", "0173-1#02-ABG773#002", sort),
        _property("DateOfValidity", "0173-1#02-ABF815#002", _moment(day), "xs:dateTime"),
    ]
    return _collection(None, f"{_PCN}/LifeCycleData/Milestone/1/0", elements)


def _moment(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
