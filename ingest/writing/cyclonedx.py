"""CycloneDX 1.6 (ECMA-424) as JSON: a hardware bill of materials.

Each part is a component; the lines of its bill of materials are components within it, and dependencies, too. Fields
that the format has not are properties `chaingraph:FIELD`.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from chaingraph import View
from ingest.writing import Row, Told, Written, names, others, reference, text, told

KINDS = ("part", "contains", "supplies")
_NAMESPACE = uuid.UUID("6f0b2d0e-58a5-4f0c-9f36-3f7d6a0c1d11")


def write(view: View, product: str | None = None, at: dt.datetime | None = None) -> Written:
    """A bill of materials made `at` a time, now by default."""
    rows = told(view, KINDS, product)
    document = bill(rows, at or dt.datetime.now(dt.UTC), product is not None)
    # one supplier without a customer is all that the format has of supplies: those rows are not in it
    counts = {name: count for name, count in rows.counts.items() if name != "supplies"}
    return Written(json.dumps(document, ensure_ascii=False, indent=1).encode(), counts, rows.left_out)


def bill(rows: Told, at: dt.datetime, of_product: bool) -> dict[str, Any]:
    """The document; of a product the one part that is in no other is what it is about."""
    lines = rows.by("contains", "parent")
    suppliers = {
        part: sorted({str(each["supplier"]) for each in found}) for part, found in rows.by("supplies", "part").items()
    }
    components = {}
    for part in rows.rows["part"]:
        ref = reference(part)
        components[ref] = _component(part, ref, lines.get(ref, []), suppliers.get(ref, []))
    metadata: dict[str, Any] = {"timestamp": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    dependencies = [
        {"ref": ref, "dependsOn": sorted({str(line["child"]) for line in lines[ref]} & components.keys())}
        for ref in components
        if ref in lines
    ]
    inner = {str(line["child"]) for line in rows.rows["contains"]}
    tops = [ref for ref in components if ref not in inner]
    if of_product and len(tops) == 1:
        metadata["component"] = components.pop(tops[0])
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "", "version": 1, "metadata": metadata,
        "components": list(components.values()), "dependencies": dependencies,
    }  # fmt: skip
    digest = json.dumps({**document, "metadata": metadata.get("component")}, sort_keys=True)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest)}"}


def _component(part: Row, ref: str, lines: Sequence[Row], suppliers: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "firmware" if part.get("foundation_class") == "basic_software" else "device",
        "bom-ref": ref,
        "group": str(part["issuer"]),
        "name": str(part["number"]),
    }
    if said := names(part):
        made["description"] = " · ".join(said.values())
    if len(suppliers) == 1:
        made["supplier"] = {"name": suppliers[0]}
    if part["stub"]:  # named by a line, and described by nobody
        made["properties"] = _properties({"part": ref})
    else:
        made["properties"] = _properties(dict(others(part)))
    if lines:
        made["components"] = [_line(ref, number, line) for number, line in enumerate(lines, 1)]
    return made


def _line(parent: str, number: int, line: Row) -> dict[str, Any]:
    issuer, _, name = str(line["child"]).partition("/")
    said = {f"line_{field}": value for field, value in others(line, "parent", "child", "quantity")}
    return {
        "type": "device", "bom-ref": f"{parent}#{number}", "group": issuer, "name": name,
        "properties": _properties({"part": line["child"], "quantity": line["quantity"], **said}),
    }  # fmt: skip


def _properties(said: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": f"chaingraph:{name}", "value": text(value)} for name, value in said.items()]
