"""Part types, serialised parts, batches, bills of materials and early warnings, by their identifiers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import Document, Value, child, objects, text
from .aspects import Payload

OURS = "chaingraph:"
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SETTLED = frozenset(
    {"self", "sheet", "by", "place", "number", "issuer", "maker", "code", "parent", "child", "valid_from", "valid_to"}
)
"""Fields that a document's own properties say."""
_LOT = frozenset({"individual", "quantity"})
_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:$|[T ])")
UNITS = {
    "kilogram": "kg", "gram": "g", "tonneMetricTon": "t", "pound": "lb", "metre": "m", "centimetre": "cm",
    "kilometre": "km", "inch": "in", "foot": "ft", "squareMetre": "m²", "squareCentimetre": "cm²", "cubicMetre": "m³",
    "cubicCentimetre": "cm³", "litre": "L", "millilitre": "mL", "hectolitre": "hL", "kilowattHour": "kWh",
    "secondUnitOfTime": "s", "minuteUnitOfTime": "min", "hourUnitOfTime": "h", "day": "d", "set": "set", "pair": "pair",
    "cycle": "cycle", "page": "page",
}  # fmt: skip
"""Units of the catalogue that the models use (UN/ECE Recommendation 20), by their names there."""
_STATES = {"ACKNOWLEDGED": "open", "ACCEPTED": "open", "DECLINED": "rejected", "CLOSED": "closed"}
_SORTS = {"SerialPart": "partInstanceId", "Batch": "batchId", "JustInSequencePart": "jisNumber"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A part, or a lot of it (with `code`), as rows refer to it; `batch` is the lot that a serialised part is of."""

    part: str
    maker: str | None = None
    code: str | None = None
    batch: str | None = None


def identifier(content: Mapping[str, Any], *names: str) -> str | None:
    """The identifier of an asset: the UUID, without what says that it is one."""
    names = names or ("globalAssetId", "catenaXId")
    found = next((said for name in names if (said := text(content.get(name)))), None)
    return found.removeprefix("urn:uuid:").lower() if found else None


def inner(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object that is there by that name, an empty one where there is none."""
    said = content.get(name)
    return said if isinstance(said, dict) else {}


def day(found: Document, place: str, what: str, said: object) -> str | None:
    """The day of a date or time stamp, as it is written there; `null` and nothing are none, anything else is noted."""
    written = text(said)
    if written is None or written.lower() == "null":
        return None
    matched = _DAY.match(written)
    try:
        return dt.date.fromisoformat(matched[1] if matched else "").isoformat()
    except ValueError:
        found.note("document.bad_value", place, what=what, said=written)
        return None


def number(found: Document, place: str, what: str, said: object) -> float | None:
    """A number that is one, also where it is written as a text; anything else is noted."""
    if said is None:
        return None
    try:
        value = float("nan") if isinstance(said, bool) else float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if value - value != 0:  # neither NaN nor infinite
        found.note("document.bad_value", place, what=what, said=str(said))
        return None
    return value


def _fields(line: Mapping[str, Any]) -> dict[str, Value]:
    """What our own documents say of a line beside it; nothing that the line itself says."""
    plain = {name: value for name, value in line.items() if name.replace("_", "").isalpha() and name not in _SETTLED}
    kept = {name: value for name, value in plain.items() if isinstance(value, str | int | float | bool)}
    return {name: value for name, value in kept.items() if name != "quantity"}


def _ours(said: Iterable[str]) -> dict[str, Value]:
    """Fields that our own documents have where a model has no property: `chaingraph:FIELD=VALUE`."""
    pairs = (each.removeprefix(OURS).partition("=") for each in said if each.startswith(OURS))
    return {name: value for name, _, value in pairs if name.replace("_", "").isalpha() and name not in _SETTLED}


class Things:
    """What identifiers of a document stand for, and the rows about it."""

    def __init__(self, found: Document) -> None:
        self.found = found
        self.by_id: dict[str, Thing] = {}
        self.into: dict[str, list[str]] = {}
        """Identifiers of what was built into a thing, by the thing's."""
        self.vehicles: set[str | None] = set()
        """Identifiers of vehicles, which are no parts."""

    def read(self, payload: Payload) -> None:
        """A part type, serialised part, batch or part made in sequence: rows of the part and of the lot."""
        content, place = payload.content, payload.place
        sort = payload.aspect.name
        listed = [(text(e.get("key")), text(e.get("value"))) for e in objects(content.get("localIdentifiers"))]
        local = {(key or "").lower(): value for key, value in listed if value and not value.startswith(OURS)}
        ours = _ours(value for _, value in listed if value)
        maker = local.get("manufacturerid") or payload.by
        known = identifier(content)
        part = self._part(
            content, maker, place, known if sort == "PartTypeInformation" else None, ours.pop("part", None)
        )
        if part is None:
            return
        if sort == "PartTypeInformation":
            self._is(known, Thing(part, maker))
            return
        key = _SORTS[sort]
        code = local.get(key.lower())
        if code is None:
            self.found.note("document.missing", place, what=f"localIdentifiers.{key}")
            return
        made = inner(content, "manufacturingInformation")
        at = "productionDate" if "productionDate" in made else "date"
        batch = local.get("batchid") if sort != "Batch" else None
        self.lot(
            part, maker, code, day(self.found, place, f"manufacturingInformation.{at}", made.get(at)), place,
            **({"individual": True if sort != "Batch" else None} | {n: v for n, v in ours.items() if n in _LOT}),
            catenaXId=known, batchId=batch,
            country=text(made.get("country")),
        )  # fmt: skip
        if batch:
            self.lot(part, maker, batch, None, place)
        self._is(known, Thing(part, maker, code, batch))

    def lot(self, part: str, maker: str | None, code: str, made_on: str | None, place: str, **more: Value) -> None:
        """A row of a lot; what is not known is left out."""
        values: dict[str, Value] = {"part": part, "maker": maker, "code": code, "produced_on": made_on, **more}
        self.found.merge("lots", ("part", "maker", "code"), place, **values)

    def part(self, issuer: str | None, number: str, place: str, **more: Value) -> str:
        """A row of a part; returns how rows refer to it."""
        self.found.merge("parts", ("number", "issuer"), place, number=number, issuer=issuer, **more)
        return f"{issuer}/{number}" if issuer else number

    def _part(
        self, content: Mapping[str, Any], maker: str | None, place: str, known: str | None, written: Value
    ) -> str | None:
        said = inner(content, "partTypeInformation")
        theirs, ours = text(said.get("manufacturerPartId")), text(said.get("customerPartId"))
        number = theirs or ours
        if number is None:
            self.found.note("document.missing", place, what="partTypeInformation.manufacturerPartId")
            return None
        classes = objects(said.get("partClassification"))
        listed = [(text(e.get("standard")) or "", text(e.get("id")) or "") for e in classes]
        own = _ours(f"{standard}={value}" for standard, value in listed)
        first = next((e for e in classes if not (text(e.get("standard")) or "").startswith(OURS)), {})
        name = text(said.get("nameAtManufacturer")) or text(said.get("nameAtCustomer"))
        more: dict[str, Value] = {
            "name_zh" if _CHINESE.search(name or "") else "name_en": name,
            "part_class": text(first.get("id")) or text(first.get("classificationID")),
            "classificationStandard": text(first.get("standard")) or text(first.get("classificationStandard")),
            "classification": text(said.get("classification")),
            "customerPartId": ours,
            "nameAtCustomer": text(said.get("nameAtCustomer")),
            "catenaXId": known,
        }
        more |= own
        if isinstance(written, str) and "/" in written:
            issuer, _, number = written.partition("/")
            return self.part(issuer, number, place, **more)
        return self.part(maker if theirs else None, number, place, **more)

    def _is(self, known: str | None, thing: Thing) -> None:
        if known is not None:
            self.by_id.setdefault(known, thing)

    def _there(self, known: str | None, place: str, what: str) -> Thing | None:
        """What an identifier stands for; noted where the document does not say."""
        thing = self.by_id.get(known or "")
        if thing is None:
            self.found.note("document.missing", place, what=f"{what} {known or '–'}")
        return thing

    def built(self, payload: Payload, *, settled: bool) -> None:
        """What went into a serialised part or batch. Where no version is given, parts without a lot make it a plan."""
        known = identifier(payload.content)
        vehicle = known in self.vehicles
        into = None if vehicle else self._there(known, payload.place, "SerialPart / Batch")
        if not settled and into is not None and into.code is None:
            self.planned(payload)
            return
        for each, place, inside in self._children(payload):
            self.into.setdefault(known or "", []).append(inside or "")
            used = self._there(inside, place, "childItems") if into or vehicle else None
            if into is None or used is None:
                continue
            if into.code is None or used.code is None:
                self.found.note("document.missing", place, what="SerialPart / Batch")
                continue
            quantity, unit = self._quantity(each, place)
            self.found.add(
                "lot_genealogy", from_part=used.part, from_maker=used.maker, from_lot=used.code, into_part=into.part,
                into_maker=into.maker, into_lot=into.code, quantity=quantity, unit=unit,
            )  # fmt: skip

    def planned(self, payload: Payload) -> None:
        """The lines of a part's bill of materials."""
        into = self._there(identifier(payload.content), payload.place, "PartTypeInformation")
        for at, (each, place, inside) in enumerate(self._children(payload)):
            used = self._there(inside, place, "childItems")
            if into is None or used is None:
                continue
            quantity, unit = self._quantity(each, place)
            valid = inner(each, "validityPeriod")
            self.found.add(
                "contains", parent=into.part, child=used.part, quantity=quantity,
                valid_from=day(self.found, place, "validFrom", valid.get("validFrom")),
                valid_to=day(self.found, place, "validTo", valid.get("validTo")),
                **({"unit": unit} | (_fields(payload.lines[at]) if at < len(payload.lines) else {})),
            )  # fmt: skip

    def _children(self, payload: Payload) -> list[tuple[dict[str, Any], str, str | None]]:
        names = ("childItems", "childParts")
        name = next((n for n in names if isinstance(payload.content.get(n), list)), names[0])
        return [
            (each, f"{payload.place}/{name}/{n}", identifier(each, "globalAssetId", "catenaXId", "childCatenaXId"))
            for n, each in enumerate(objects(payload.content.get(name)))
        ]

    def _quantity(self, each: Mapping[str, Any], place: str) -> tuple[float | None, str | None]:
        """How much, in which unit; pieces where it is empty."""
        said = each.get("quantity")
        said = said if isinstance(said, dict) else {"value": said}
        value = number(self.found, place, "quantity", said.get("value", said.get("quantityNumber")))
        named = said.get("unit") or said.get("measurementUnit")
        named = child(named, "lexicalValue") if isinstance(named, dict) else named
        unit = (text(named) or "").rpartition(":")[2]
        return value, None if unit in {"", "piece"} else UNITS.get(unit, unit)

    def warned(self, payload: Payload) -> None:
        """An early warning: a problem of each part among what is affected."""
        content, place = payload.content, payload.place
        named = text(content.get("notificationId"))
        items = objects(content.get("listOfAffectedItems"))
        affected = [self._there(identifier(each), f"{place}/listOfAffectedItems/{n}", "catenaXId")
                    for n, each in enumerate(items)]  # fmt: skip
        things = list(dict.fromkeys(thing for thing in affected if thing is not None))
        status = text(content.get("status")) or ""
        if status not in _STATES:
            self.found.note("document.bad_value", place, what="status", said=status or "–")
        if named is None or not things:
            self.found.note("document.missing", place, what="listOfAffectedItems")
            return
        parts = list(dict.fromkeys((thing.part, thing.maker) for thing in things))
        for at, (part, maker) in enumerate(parts):
            lots = list(dict.fromkeys(t.batch or t.code for t in things if (t.part, t.maker) == (part, maker)))
            self.found.add(
                "problems", id=named if len(parts) == 1 else f"{named}-{at + 1}", part=part, maker=maker,
                lot=lots[0] if len(lots) == 1 else None, problem=text(content.get("information")),
                state=_STATES.get(status), severity=text(content.get("severity")),
                quantity=sum((t.part, t.maker) == (part, maker) for t in affected if t is not None),
                qualityTaskId=text(content.get("relatedQualityTaskID")),
            )  # fmt: skip
