"""CycloneDX (ECMA-424) as JSON, versions 1.2 to 1.7: components of hardware and firmware and what is in what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import Document, Value, child, objects, text

_KNOWN = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
_DEEPEST = 64
_OURS = "chaingraph:"
_SOFTWARE = frozenset(
    {"firmware", "operating-system", "application", "library", "framework", "device-driver", "container"}
)
_THINGS = _SOFTWARE | {"device", "platform", "data", "file", "machine-learning-model", "cryptographic-asset"}


def read(document: Any) -> Document | None:
    """What a bill of materials says; None for what is none."""
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        return None
    found = Document("CycloneDX")
    version = text(document.get("specVersion")) or "?"
    if version not in _KNOWN:
        found.note("document.version", format="CycloneDX", version=version, known=", ".join(_KNOWN))
    _Components(found).read(document)
    for name in ("services", "vulnerabilities", "compositions", "annotations", "formulation", "declarations"):
        if document.get(name):
            found.note("document.unused", f"/{name}", what=name)
    return found


def properties(thing: Mapping[str, Any]) -> dict[str, Value]:
    """Properties of our own, `chaingraph:quantity` as `quantity`."""
    found: dict[str, Value] = {}
    for each in objects(thing.get("properties")):
        name, value = text(each.get("name")) or "", text(each.get("value"))
        field = name.removeprefix(_OURS)
        if name.startswith(_OURS) and field.replace("_", "").isalpha() and value is not None:
            found.setdefault(field, value)
    return found


class _Components:
    """Components by their references, and the lines between them."""

    def __init__(self, found: Document) -> None:
        self.found = found
        self.references: dict[str, str] = {}
        self.lines: set[tuple[str, str]] = set()

    def read(self, document: Mapping[str, Any]) -> None:
        """Components from the outermost on, then the dependencies that are no lines yet."""
        top = child(document, "metadata", "component")
        stack: list[tuple[dict[str, Any], str | None, str, int]] = []
        if isinstance(top, dict):
            stack.append((top, None, "/metadata/component", 0))
        for number, each in enumerate(objects(document.get("components"))):
            stack.append((each, None, f"/components/{number}", 0))
        stack.reverse()
        while stack:
            component, parent, place, depth = stack.pop()
            if depth > _DEEPEST:
                self.found.note("document.too_deep", place, limit=_DEEPEST)
                continue
            reference = self._component(component, parent, place)
            inside = objects(component.get("components"))
            stack += [
                (each, reference, f"{place}/components/{n}", depth + 1) for n, each in reversed(list(enumerate(inside)))
            ]
        for number, each in enumerate(objects(document.get("dependencies"))):
            self._dependency(each, f"/dependencies/{number}")

    def _component(self, component: Mapping[str, Any], parent: str | None, place: str) -> str | None:
        """The rows of a component; how others refer to its part."""
        said = properties(component)
        sort = text(component.get("type"))
        if sort not in _THINGS:
            self.found.note("document.bad_value", place, what="type", said=sort or "–")
        line = {name.removeprefix("line_"): value for name, value in said.items() if name.startswith("line_")}
        part = text(said.get("part"))
        reference = part or self._part(component, said, place)
        if reference is None:
            self.found.note("document.missing", place, what="name")
            return None
        if known := text(component.get("bom-ref")):
            self.references.setdefault(known, reference)
        if parent is not None:
            self.lines.add((parent, reference))
            quantity = said.get("quantity", "1")
            self.found.add("contains", **({"parent": parent, "child": reference, "quantity": quantity} | line))
        return reference

    def _part(self, component: Mapping[str, Any], said: dict[str, Value], place: str) -> str | None:
        name = text(component.get("name"))
        if name is None:
            return None
        makers = ("manufacturer", "supplier")
        maker, supplier = (text(child(component, each, "name")) for each in makers)
        ours = "number" in said
        issuer = text(said.get("issuer")) or (None if ours else maker or text(component.get("group")))
        number = text(said.get("number")) or name
        reference = f"{issuer}/{number}" if issuer else number
        values: dict[str, Value] = {"number": number, "issuer": issuer}
        if not ours:
            values["name_en"] = text(component.get("description")) or name
        values |= {field: value for field, value in said.items() if field not in {"quantity", "part"}}
        software = text(component.get("type")) in _SOFTWARE
        version = text(component.get("version"))
        if version and not software:
            values["version"] = version
        for field in ("purl", "cpe"):
            if value := text(component.get(field)):
                values[field] = value
        self.found.merge("parts", ("number", "issuer"), place, **values)
        if version and software:
            self.found.merge("lots", ("part", "maker", "code"), place, part=reference, maker=issuer, code=version)
        if supplier and not ours:
            self.found.merge("supplies", ("part", "supplier"), place, part=reference, supplier=supplier)
        return reference

    def _dependency(self, each: Mapping[str, Any], place: str) -> None:
        parent = self.references.get(text(each.get("ref")) or "")
        below = each.get("dependsOn")
        below = below if isinstance(below, list) else []
        if parent is None and below:
            self.found.note("document.bad_value", place, what="ref", said=text(each.get("ref")) or "–")
            return
        for one in below:
            reference = self.references.get(text(one) or "")
            if reference is None:
                self.found.note("document.bad_value", place, what="dependsOn", said=text(one) or "–")
            elif parent is not None and (parent, reference) not in self.lines:
                self.lines.add((parent, reference))
                self.found.add("contains", parent=parent, child=reference, quantity="1")
