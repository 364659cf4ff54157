"""Lives of parts in the field, right-censored, from the vehicles of a fleet and their claims.

Every unit of a part in a vehicle that was sold is watched from the day of the sale to the day up to which the document
tells (the latest that it names). The first claim in which the unit is the cause ends its life; without one it is alive
at the end. What replaced it is not followed. Ages are kilometres where the document has a mileage for every unit of a
part, and months of 30.4375 days otherwise; a part has one unit of age. Parts of which only the number is known get no
row of their own: it would take the place of what their owner has said of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import Document, Value, child, objects, text
from .aspects import Payload
from .parts import OURS, Thing, Things, day, identifier, inner, number

MONTH = 365.25 / 12
"""Days."""
_MILE = 1.609344
_DELETED = frozenset({"delete", "deleted"})
_DEEPEST = 16


@dataclass(slots=True)
class Unit:
    """One unit of a part in a vehicle: its part and lot, and what else tells it from others of its part."""

    part: str
    maker: str | None
    lot: str | None
    serial: str | None = None
    known: str | None = None
    """Its identifier."""


@dataclass(slots=True)
class Vehicle:
    """A vehicle: the day it was sold (or made), its model and where it was sold, its last reading, its parts."""

    name: str
    sold: str | None
    made: str | None
    model: str | None
    country: str | None
    known: str | None
    place: str
    mileage: float | None = None
    units: list[Unit] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    """Numbers of life records by the identifier or number of the part, as our own documents have them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One causal part of a claim."""

    name: str
    vehicle: str
    place: str
    on: str | None
    mileage: float | None
    months: float | None
    unit: Unit
    about: Mapping[str, Value]


class Fleet:
    """Vehicles and claims as they are read, then their lives."""

    def __init__(self, found: Document, things: Things) -> None:
        self.found, self.things = found, things
        self.vehicles: dict[str, Vehicle] = {}
        self.claims: list[Claim] = []
        self.readings: dict[str, tuple[str, float]] = {}
        self.days: list[str] = []
        self._made: dict[tuple[str, str], Thing] = {}

    # what is read

    def made(self, payload: Payload) -> None:
        """What a maker says of parts that it made: their lots."""
        self._until(payload)
        name = _listing(payload, "manufacturedParts", "listOfManufacturedParts")
        for at, each in enumerate(objects(payload.content.get(name))):
            place = f"{payload.place}/{name}/{at}"
            if _gone(each):
                continue
            info = inner(each, "manufacturingInformation")
            part = _first(each, "partNumber", "manufacturerPartNumber", "manufacturerId")  # the last in version 1
            maker = payload.by
            serial = _first(each, "serialNumber", "manufacturerSerialNumber", "manufacturerSerialPartNumber")
            batch = _first(each, "batchNumber", "batchId") or text(info.get("batchId"))
            known = identifier(each, "partId", "catenaXPartId", "catenaXId", "globalAssetId")
            if part is None:
                self.found.note("document.missing", place, what="partNumber")
                continue
            made_on = day(self.found, place, "productionDate", each.get("productionDate") or info.get("date"))
            reference = f"{maker}/{part}" if maker else part
            reworked = each.get("hasBeenReworked", info.get("hasBeenReworked"))
            plant = text(child(each, "plant", "plantIdentifier")) or _first(each, "plantIdentifier", "plantId")
            plant = plant or text(info.get("plantId"))
            if serial:
                self.things.lot(
                    reference, maker, serial, made_on, place, individual=True, catenaXId=known, batchId=batch,
                    plant=plant, hasBeenReworked=reworked if isinstance(reworked, bool) else None,
                )  # fmt: skip
                self._made[part, serial] = Thing(reference, maker, serial, batch)
            if batch:
                self.things.lot(reference, maker, batch, None, place)
            if known and (serial or batch):
                self.things.by_id.setdefault(known, Thing(reference, maker, serial or batch, batch))

    def drove(self, payload: Payload) -> None:
        """Vehicles, and the parts that they say are in them."""
        self._until(payload)
        name = _listing(payload, "vehicles", "listOfVehicles")
        for at, each in enumerate(objects(payload.content.get(name))):
            place = f"{payload.place}/{name}/{at}"
            named = _vin(each)
            if _gone(each):
                continue
            if named is None:
                self.found.note("document.missing", place, what="anonymizedVIN")
                continue
            sold = each.get("soldDate", child(each, "sale", "soldDate"))
            made = each.get("productionDate", child(each, "production", "productionDate"))
            vehicle = Vehicle(
                named,
                self._day(place, "soldDate", sold),
                self._day(place, "productionDate", made),
                _first(each, "modelIdentifier", "vehicleSeries", "modelDescription"),
                _country(each.get("soldCountryCode") or child(each, "sale", "countryCode")),
                identifier(each, "vehicleId", "catenaXVehicleId", "catenaXId", "globalAssetId"),
                place,
            )
            self.things.vehicles.add(vehicle.known)
            for pair in objects(each.get("additionalInformationList")):
                if text(pair.get("key")) == f"{OURS}id":
                    about, _, record = (text(pair.get("value")) or "").partition("|")
                    vehicle.records[about.removeprefix("urn:uuid:")] = record
            listed = "parts" if isinstance(each.get("parts"), list) else "components"
            for n, part in enumerate(objects(each.get(listed))):
                unit = self._unit(part, f"{place}/{listed}/{n}")
                vehicle.units += [unit] if unit else []
            if named in self.vehicles:
                self.found.note("document.bad_value", place, what="anonymizedVIN", said=f"#{at + 1}")
                continue
            self.vehicles[named] = vehicle

    def diagnosed(self, payload: Payload) -> None:
        """Mileages that were read in sessions; nothing else of them."""
        name = _listing(payload, "diagnosticSessions", "listOfSessions")
        for at, each in enumerate(objects(payload.content.get(name))):
            place = f"{payload.place}/{name}/{at}"
            named, mileage = _vin(each), self._mileage(each, "sessionMileage", place)
            on = self._day(place, "sessionStart", each.get("sessionStart"))
            if named and on and mileage is not None and on >= self.readings.get(named, ("", 0.0))[0]:
                self.readings[named] = (on, mileage)

    def claimed(self, payload: Payload) -> None:
        """Claims: one for each part that is a cause."""
        self._until(payload)
        name = _listing(payload, "claims", "listOfClaims")
        for at, each in enumerate(objects(payload.content.get(name))):
            place = f"{payload.place}/{name}/{at}"
            number_, vehicle = text(each.get("claimId")), _vin(each)
            if _gone(each):
                continue
            if number_ is None or vehicle is None:
                self.found.note("document.missing", place, what="anonymizedVIN" if number_ else "claimId")
                continue
            causes = self._causes(each, place)
            about: dict[str, Value] = {
                "symptom": _first(each, "damageCodeDescription", "damageCode") or _words(each.get("customerComment")),
                "damageCode": text(each.get("damageCode")),
                "technicianComment": _words(each.get("technicianComment")),
            }
            on = self._day(place, "repairDate", each.get("repairDate"))
            mileage = self._mileage(each, "repairMileage", place)
            months = number(self.found, place, "monthInService", each.get("monthInService"))
            for n, unit in enumerate(causes, 1):
                identity = number_ if len(causes) == 1 else f"{number_}-{n}"
                self.claims.append(Claim(identity, vehicle, place, on, mileage, months, unit, about))

    def _causes(self, each: Mapping[str, Any], place: str) -> list[Unit]:
        """The parts that a claim says are its cause; the only one where it does not say."""
        listed = each.get("claimedParts", each.get("listOfParts"))
        parts = [listed] if isinstance(listed, dict) else objects(listed)
        causal = [part for part in parts if part.get("isPartCausal") is True]
        if not causal and len(parts) == 1 and "isPartCausal" not in parts[0]:
            causal = parts
        if not causal:
            self.found.note("document.missing", place, what="claimedParts.isPartCausal")
        units = (self._unit(part.get("replacedPart") or part, place, part) for part in causal)
        return [unit for unit in units if unit is not None]

    def _unit(self, said: object, place: str, around: Mapping[str, Any] | None = None) -> Unit | None:
        """The unit that a description of a part is about; with its lot, where anything in the document tells it."""
        part = said if isinstance(said, dict) else {}
        known = identifier(part, "partId", "catenaXPartId", "catenaXClaimPartId", "catenaXId")
        numbered = _first(part, "manufacturerPartNumber", "partNumber", "number")
        serial = _first(part, "manufacturerSerialNumber", "serialNumber")
        thing = self.things.by_id.get(known or "") or self._made.get((numbered or "", serial or ""))
        if thing is not None:
            return Unit(thing.part, thing.maker, thing.batch or thing.code, serial, known)
        if numbered is None:
            self.found.note("document.missing", place, what="partNumber")
            return None
        maker = _first(part, "supplierId") or (_first(around, "supplierId") if around else None)
        return Unit(numbered, maker, _first(part, "batchNumber", "batchId"), serial, known)

    def _day(self, place: str, what: str, said: object) -> str | None:
        found = day(self.found, place, what, said)
        if found is not None:
            self.days.append(found)
        return found

    def _until(self, payload: Payload) -> None:
        """The end of the period that was selected, where it is a day."""
        said = text(child(payload.content, "metaInformation", "selectionEnd"))
        if said and (end := day(Document(""), "", "", said)):
            self.days.append(end)

    def _mileage(self, each: Mapping[str, Any], name: str, place: str) -> float | None:
        value = number(self.found, place, name, each.get(name))
        if value is not None and value < 0:
            self.found.note("document.bad_value", place, what=name, said=str(value))
            return None
        miles = text(each.get(name + "Unit")) == "mi"
        return value * _MILE if value is not None and miles else value

    # what comes of it

    def lived(self) -> None:
        """Life records: of each unit in a vehicle that was sold, of claims about units that no vehicle is said to have.

        Where no vehicle says when it was sold, all are taken to be in use from the day they were made.
        """
        if not self.vehicles and not self.claims:
            return
        end = max(self.days, default=None)
        if end is None:
            self.found.note("document.missing", None, what="soldDate")
            return
        anybody_sold = any(vehicle.sold for vehicle in self.vehicles.values())
        if self.vehicles and not anybody_sold:
            self.found.note("document.from_production")
        rows = list(self._rows(end, anybody_sold=anybody_sold))
        all_known: dict[str, bool] = {}
        for row, _, mileage in rows:
            part = str(row["part"])
            all_known[part] = all_known.get(part, True) and mileage is not None
        for row, months, mileage in rows:
            kilometres = all_known[str(row["part"])]
            unit = "km" if kilometres else "months"
            self.found.add("life_records", **row, age=mileage if kilometres else months, unit=unit)
        for part in sorted(all_known):
            unit = "km" if all_known[part] else "months"
            for known in self.found.rows.get("parts", []):
                if part in (known["number"], f"{known.get('issuer')}/{known['number']}"):
                    known["age_unit"] = unit
            self.found.note("document.lives", None, part=part, unit=unit, end=end)

    def _rows(self, end: str, *, anybody_sold: bool) -> Iterator[tuple[dict[str, Value], float, float | None]]:
        """A row for each life, its age in months, and in kilometres where that is known."""
        open_claims: dict[str, list[Claim]] = {}
        for claim in sorted(self.claims, key=lambda c: (c.on or "9999", c.name)):
            open_claims.setdefault(claim.vehicle, []).append(claim)
        unsold = 0
        for vehicle in self.vehicles.values():
            began = vehicle.sold if anybody_sold else vehicle.made
            units = [*vehicle.units, *self._built_in(vehicle.known, 0)]
            if began is None:
                unsold += 1
                continue
            counts: dict[str, int] = {}
            for unit in units:
                counts[unit.part] = counts.get(unit.part, 0) + 1
            for at, unit in enumerate(units, 1):
                claims = _about(open_claims.get(vehicle.name, []), unit, sole=counts[unit.part] == 1)
                for later in claims[1:]:
                    self.found.note("document.later_claim", later.place, claim=later.name)
                open_claims[vehicle.name] = [c for c in open_claims.get(vehicle.name, []) if c not in claims]
                serial = vehicle.name if counts[unit.part] == 1 else f"{vehicle.name} {unit.serial or unit.known or at}"
                yield from self._life(vehicle, began, unit, serial, claims[0] if claims else None, end)
        alone = [claim for claims in open_claims.values() for claim in claims]
        for part in sorted({claim.unit.part for claim in alone}):
            self.found.note("document.no_population", None, part=part)
        for claim in alone:
            of = self.vehicles.get(claim.vehicle)
            began = (of.sold if anybody_sold else of.made) if of else None
            blank = Vehicle(claim.vehicle, began, None, None, None, None, claim.place)
            yield from self._life(of or blank, began, claim.unit, claim.vehicle, claim, end)
        if unsold:
            self.found.note("document.unsold", None, count=unsold)

    def _life(
        self, vehicle: Vehicle, began: str | None, unit: Unit, serial: str, claim: Claim | None, end: str
    ) -> Iterator[tuple[dict[str, Value], float, float | None]]:
        """The life of a unit; nothing where its age cannot be told, which is noted."""
        place = claim.place if claim else vehicle.place
        on = (claim.on if claim else None) or (None if claim else end)
        months = claim.months if claim and (on is None or began is None) else None
        if months is None and began is not None and on is not None:
            months = (dt.date.fromisoformat(on) - dt.date.fromisoformat(began)).days / MONTH
        if months is None:
            self.found.note("document.missing", place, what="soldDate" if began is None else "repairDate")
            return
        if months < 0:
            self.found.note("document.bad_value", place, what="repairDate", said=f"{on} < {began}")
            return
        reading = self.readings.get(vehicle.name)
        mileage = claim.mileage if claim else reading[1] if reading else None
        name = claim.name if claim else vehicle.records.get(unit.known or unit.part)
        row: dict[str, Value] = {
            "id": name, "VIN": serial, "part": unit.part,
            "maker": unit.maker or (claim.unit.maker if claim else None),
            "lot": unit.lot or (claim.unit.lot if claim else None),
            "event": "failure" if claim else "suspension",
            "started_on": began, "observed_on": on, "product": vehicle.model, "region": vehicle.country,
            "origin": "warranty", "serialNumber": unit.serial, "catenaXId": unit.known,
            "mileage_km": mileage, **(claim.about if claim else {}),
        }  # fmt: skip
        yield row, round(months, 4), mileage

    def _built_in(self, known: str | None, depth: int) -> Iterator[Unit]:
        """What was built into a vehicle, and into that."""
        if known is None or depth > _DEEPEST:
            return
        for inside in self.things.into.get(known, []):
            thing = self.things.by_id.get(inside)
            if thing is not None and thing.code is not None:
                yield Unit(thing.part, thing.maker, thing.batch or thing.code, thing.code, inside)
            yield from self._built_in(inside, depth + 1)


def _about(claims: list[Claim], unit: Unit, *, sole: bool) -> list[Claim]:
    """The claims about a unit: of its identifier, its serial number, or its part where the vehicle has one of it."""

    def same(claim: Claim) -> bool:
        other = claim.unit
        if unit.known and other.known:
            return unit.known == other.known
        if not _same_part(other.part, unit.part):
            return False
        return unit.serial == other.serial if unit.serial and other.serial else sole

    return [claim for claim in claims if same(claim)]


def _same_part(first: str, second: str) -> bool:
    """Is it the same number, where one says whose it is and the other does not?"""
    if "/" in first and "/" in second:
        return first == second
    return first.rpartition("/")[2] == second.rpartition("/")[2]


def _listing(payload: Payload, *names: str) -> str:
    return next((name for name in names if isinstance(payload.content.get(name), list)), names[0])


def _first(said: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if (found := text(said.get(name)))), None)


def _country(said: object) -> str | None:
    """A country; `null` is how the models write that it is not known."""
    found = text(said)
    return None if found is None or found.lower() == "null" else found


def _vin(each: Mapping[str, Any]) -> str | None:
    found = _first(each, "anonymizedVIN", "anonymizedVin") or text(child(each, "vehicleIdentifiers", "anonymizedVIN"))
    return found or identifier(each, "vehicleId", "catenaXVehicleId")


def _gone(each: Mapping[str, Any]) -> bool:
    return text(each.get("recordStatus")) in _DELETED


def _words(value: object) -> str | None:
    """A text, or the texts of an object that has one for each language."""
    if isinstance(value, dict):
        return "; ".join(each for part in value.values() if (each := text(part))) or None
    return text(value)
