"""The aspects of Catena-X that are read: their names, the versions published, and how a payload is told to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import child, objects, text

_URN = re.compile(r"^urn:(?:samm|bamm):io\.catenax\.([a-z_.]+):(\d+(?:\.\d+)*)(?:#(\w+))?$")
_NAMED = ("aspect", "semanticId", "semantic_id", "aspectId", "modelId", "submodelSemanticId", "bammId", "sammId")
_HELD = ("payload", "content", "data", "value", "submodel", "body")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Aspect:
    """A sort of payload: its name, the versions known, the properties of which each must be there under one name, and
    all others that are understood or may be passed over.
    """

    name: str
    versions: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    others: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Every name of a property that is no surprise."""
        return self.others | {name for names in self.needs for name in names}


_ID = ("catenaXId", "globalAssetId")
_LOCAL, _MADE, _TYPE = ("localIdentifiers",), ("manufacturingInformation",), ("partTypeInformation",)
_CHILDREN = ("childItems", "childParts")

ASPECTS: Mapping[str, Aspect] = {
    each.name: each
    for each in (
        Aspect(
            "PartTypeInformation", ("1.0.0", "2.0.0"), (_ID, _TYPE),
            frozenset({"partSitesInformationAsPlanned", "validityPeriod"}),
        ),
        Aspect(
            "SerialPart", ("1.0.0", "1.0.1", "1.1.0", "1.1.1", "2.0.0", "3.0.0", "3.0.1", "4.0.0"),
            (_ID, _LOCAL, _MADE, _TYPE), frozenset({"sites"}),
        ),
        Aspect(
            "Batch", ("1.0.0", "1.0.1", "1.0.2", "2.0.0", "2.0.1", "3.0.0", "3.0.1", "4.0.0"),
            (_ID, _LOCAL, _MADE, _TYPE), frozenset({"sites"}),
        ),
        Aspect(
            "JustInSequencePart", ("1.0.0", "2.0.0", "3.0.0", "4.0.0"), (_ID, _LOCAL, _MADE, _TYPE),
            frozenset({"sites"}),
        ),
        Aspect("SingleLevelBomAsBuilt", ("1.0.0", "2.0.0", "3.0.0", "4.0.0"), (_ID, _CHILDREN)),
        Aspect("SingleLevelBomAsPlanned", ("1.0.0", "1.0.1", "1.1.0", "2.0.0", "3.0.0", "4.0.0"), (_ID, _CHILDREN)),
        Aspect(
            "Vehicles", ("1.0.0", "2.0.0", "2.1.0", "3.0.0", "4.0.0"), (("vehicles", "listOfVehicles"),),
            frozenset({"metaInformation"}),
        ),
        Aspect(
            "ClaimData", ("1.0.0", "2.0.0", "3.0.0"), (("claims", "listOfClaims"),), frozenset({"metaInformation"})
        ),
        Aspect(
            "DiagnosticData", ("1.0.0", "2.0.0", "3.0.0"), (("diagnosticSessions", "listOfSessions"),),
            frozenset({"metaInformation"}),
        ),
        Aspect(
            "ManufacturedPartsQualityInformation", ("1.0.0", "2.0.0", "2.1.0", "3.0.0"),
            (("manufacturedParts", "listOfManufacturedParts"),), frozenset({"metaInformation"}),
        ),
        Aspect(
            "EarlyWarningNotification", ("1.0.0",), (("notificationId",), ("status",), ("listOfAffectedItems",)),
            frozenset(
                {"relatedQualityTaskID", "information", "severity", "poulationFilterList", "populationFilterList",
                 "earlyWarningAttachmentLink"}
            ),
        ),
    )
}  # fmt: skip
"""By name."""

_OLD_NAMES = {
    "SerialPartTypization": "SerialPart",
    "PartAsPlanned": "PartTypeInformation",
    "AssemblyPartRelationship": "SingleLevelBomAsBuilt",
}
_OWN_VERSIONS = frozenset({"SerialPartTypization", "PartAsPlanned", "AssemblyPartRelationship"})


@dataclass(frozen=True, slots=True)
class Payload:
    """What one aspect says of one thing; `version` is None where the document does not say, `by` who sends it, `lines`
    what our own documents say of lines of a bill of materials beside the payload.
    """

    aspect: Aspect
    version: str | None
    content: dict[str, Any]
    place: str
    by: str | None = None
    lines: tuple[dict[str, Any], ...] = ()


def payloads(document: object) -> Iterator[Payload]:
    """Every payload of a document: alone, in lists, or in envelopes that name its aspect.

    An envelope is an object that holds the payload (`payload`, `content`, `data`) beside the aspect's identifier
    (`semanticId`, `aspect`), or under the identifier itself as a key.
    """
    yield from _within(document, "", None, 0)


def _within(value: object, place: str, by: str | None, depth: int) -> Iterator[Payload]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _within(each, f"{place}/{number}", by, depth + 1)
        return
    if not isinstance(value, dict):
        return
    sender = text(value.get("manufacturerId")) or text(value.get("bpnl")) or text(value.get("bpn")) or by
    named = next((urn for name in _NAMED if (urn := _identifier(value.get(name)))), None)
    if named is not None:
        held = next((name for name in _HELD if isinstance(value.get(name), dict | list)), None)
        inside = value if held is None else value[held]
        lines = tuple(objects(value.get("chaingraph:lines")))
        for payload in _all(named, inside, f"{place}/{held}" if held else place, sender):
            yield replace(payload, lines=lines)
        return
    if (alike := _alike(value)) is not None:
        yield Payload(ASPECTS[alike], None, value, place, by)
        return
    for name, each in value.items():
        if (urn := _identifier(name)) is not None:
            yield from _all(urn, each, f"{place}/{name}", sender)
        elif isinstance(each, dict | list):
            yield from _within(each, f"{place}/{name}", sender, depth + 1)


def _all(named: tuple[str, str], value: object, place: str, by: str | None) -> Iterator[Payload]:
    name, version = named
    aspect = ASPECTS.get(_OLD_NAMES.get(name, name))
    if aspect is None:
        return
    alone = {"": value} if isinstance(value, dict) else {}
    listed = {f"/{n}": each for n, each in enumerate(value)} if isinstance(value, list) else alone
    for at, each in listed.items():
        if isinstance(each, dict):
            planned = name == "AssemblyPartRelationship" and _planned(each)
            said = aspect.versions[0] if name in _OWN_VERSIONS else version
            yield Payload(ASPECTS["SingleLevelBomAsPlanned"] if planned else aspect, said, each, place + at, by)


def _planned(content: Mapping[str, Any]) -> bool:
    return any(text(each.get("lifecycleContext")) == "AsPlanned" for each in objects(content.get("childParts")))


def _identifier(value: object) -> tuple[str, str] | None:
    """The aspect and version that an identifier names, as a text or as a reference of an asset administration shell."""
    if isinstance(value, dict):
        value = next((each.get("value") for each in objects(value.get("keys"))), None)
    found = _URN.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    package, version, name = found.groups()
    return name or "".join(piece.capitalize() for piece in package.rsplit(".", 1)[-1].split("_")), version


def _alike(value: Mapping[str, Any]) -> str | None:
    """The aspect of a payload that nothing names, by properties that only it has."""
    for name, ways in (
        ("Vehicles", ("vehicles", "listOfVehicles")),
        ("ClaimData", ("claims", "listOfClaims")),
        ("DiagnosticData", ("diagnosticSessions",)),
        ("ManufacturedPartsQualityInformation", ("manufacturedParts", "listOfManufacturedParts")),
    ):
        if any(isinstance(value.get(way), list) for way in ways):
            return name
    if "notificationId" in value and "listOfAffectedItems" in value:
        return "EarlyWarningNotification"
    if not any(name in value for name in _ID):
        return None
    if isinstance(local := value.get("localIdentifiers"), list):
        keys = {(text(each.get("key")) or "").lower() for each in objects(local)}
        return "JustInSequencePart" if "jisnumber" in keys else "SerialPart" if "partinstanceid" in keys else "Batch"
    if isinstance(value.get("partTypeInformation"), dict):
        return "PartTypeInformation"
    children = next((objects(value.get(name)) for name in _CHILDREN if isinstance(value.get(name), list)), None)
    if children is None:
        return None
    planned = any("validityPeriod" in each or child(each, "lifecycleContext") == "AsPlanned" for each in children)
    return "SingleLevelBomAsPlanned" if planned else "SingleLevelBomAsBuilt"
