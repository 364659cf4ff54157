"""Aspects of Catena-X (SAMM models io.catenax.*) as JSON, versions 1 to 4, leniently and with a report."""

from __future__ import annotations

from typing import Any

from .. import Document
from .aspects import ASPECTS, Payload, payloads
from .fleet import Fleet
from .parts import Things

_THINGS = ("PartTypeInformation", "SerialPart", "Batch", "JustInSequencePart")
_BUILT, _PLANNED = "SingleLevelBomAsBuilt", "SingleLevelBomAsPlanned"


def read(document: Any) -> Document | None:
    """What aspect payloads say; None where there is none.

    Part types become parts, serialised parts, batches and parts made in sequence become lots, the two bills of
    materials `lot_genealogy` and `contains`, an early warning a problem, and vehicles with their claims life records.
    """
    found = Document("Catena-X")
    by_aspect: dict[str, list[Payload]] = {}
    for payload in payloads(document):
        by_aspect.setdefault(payload.aspect.name, []).append(payload)
        _check(found, payload)
    if not by_aspect:
        return None
    things = Things(found)
    for name in _THINGS:
        for payload in by_aspect.get(name, []):
            things.read(payload)
    fleet = Fleet(found, things)
    for payload in by_aspect.get("ManufacturedPartsQualityInformation", []):
        fleet.made(payload)
    for payload in by_aspect.get("Vehicles", []):
        fleet.drove(payload)
    for payload in by_aspect.get(_BUILT, []):
        things.built(payload, settled=payload.version is not None)
    for payload in by_aspect.get(_PLANNED, []):
        things.planned(payload)
    for payload in by_aspect.get("EarlyWarningNotification", []):
        things.warned(payload)
    for payload in by_aspect.get("DiagnosticData", []):
        fleet.diagnosed(payload)
    for payload in by_aspect.get("ClaimData", []):
        fleet.claimed(payload)
    fleet.lived()
    return found


def _check(found: Document, payload: Payload) -> None:
    """Note an unknown version, properties that are missing, and such as nobody knows."""
    aspect = payload.aspect
    if payload.version is not None and payload.version not in aspect.versions:
        known = ", ".join(aspect.versions)
        found.note("document.version", payload.place, format=aspect.name, version=payload.version, known=known)
    for names in aspect.needs:
        if not any(name in payload.content for name in names):
            found.note("document.missing", payload.place, what=f"{aspect.name}.{names[-1]}")
    for name in payload.content:
        if name not in aspect.known:
            found.note("document.unused", payload.place, what=f"{aspect.name}.{name}")


__all__ = ["ASPECTS", "read"]
