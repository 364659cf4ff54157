"""What submodels of an Asset Administration Shell say of a part, as rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import Document, Value, child, objects, text
from .aas_assets import Assets
from .aas_structure import write_structure
from .aas_tree import Element, find, first, fold, inside, keys, languages, meaning, named, ours, said_by

HOURS_A_YEAR = 8760.0
"""Years of operation are counted so in functional safety (ISO 13849-1, annex C: 24 h on 365 days)."""
DANGEROUS = "dangerous"
"""The mode of figures that are about dangerous failures alone: they are no figures of all failures."""

_SORTS = (
    ("nameplate", ("nameplate", "digitalnameplate"), ("nameplate/",)),
    ("structure", ("hierarchicalstructures", "billofmaterial"), ("hierarchicalstructures/",)),
    ("reliability", ("reliability",), ("iec62683/1/0/reliability", "submodeltemplate/reliability/")),
    ("safety", ("functionalsafety",), ("iec62683/1/0/functionalsafety", "submodeltemplate/functionalsafety/")),
    ("changes", ("productchangenotifications",), ("0173-1#01-ahe582", "submodeltemplate/productchangenotifications/")),
)
_HOURS = {"h": 1.0, "hr": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0} | dict.fromkeys(
    ("y", "a", "yr", "year", "years", "annum"), HOURS_A_YEAR
)
_RATES = {"1/h": "1/h", "h-1": "1/h", "per hour": "1/h", "fit": "FIT", "fpmh": "fpmh", "%/1000h": "%/1000h"}


@dataclass(frozen=True, slots=True)
class Context:
    """What readers of submodels share: the document, its assets, where the submodel is, and units by concept."""

    found: Document
    assets: Assets
    place: str
    units: Mapping[str, str]


def sort(submodel: Element) -> str | None:
    """What a submodel is about; None for one that is not read."""
    said = meaning(submodel).casefold()
    if said.startswith("urn:chaingraph:part:"):
        return "ours"
    for name, _, meanings in _SORTS:
        if any(each in said for each in meanings):
            return name
    plain = fold(named(submodel))
    return next((name for name, names, _ in _SORTS if plain in names and not said.startswith("urn:")), None)


def unit_of(element: Element) -> str | None:
    """The unit that a data specification (IEC 61360) of an element or concept says."""
    for each in objects(element.get("embeddedDataSpecifications")):
        if unit := text(child(each, "dataSpecificationContent", "unit")):
            return unit
    return None


def nameplate(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """Who made the part, its number and names; the serial number and day of production of an instance."""
    if not about:
        context.found.note("document.missing", context.place, what="assetAdministrationShell")
    for at in about:
        asset = context.assets[at]
        maker = first(submodel, "ManufacturerName", "0173-1#02-AAO677#002", "0112/2///61987#ABA565#009")
        asset.issuer = asset.issuer or maker
        for name in ("ProductArticleNumberOfManufacturer", "OrderCodeOfManufacturer", "ManufacturerProductType"):
            asset.number = asset.number or first(submodel, name)
        for each in find(submodel, "ManufacturerProductDesignation"):
            for language, said in languages(each.get("value")).items():
                asset.texts.setdefault(language, said)
        asset.serial = asset.serial or first(submodel, "SerialNumber")
        asset.batch = asset.batch or first(submodel, "BatchNumber")
        asset.made_on = asset.made_on or first(submodel, "DateOfManufacture")
        asset.version = asset.version or first(submodel, "HardwareVersion")


def ours_of_part(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """The fields of a part that no standard submodel has, by our own meanings; other numbers with their drawings."""
    for at in about:
        asset = context.assets[at]
        asset.fields = ours(submodel, "part") | asset.fields
        asset.described = asset.fields.pop("stub", None) is None
        for each in find(submodel, "Alias"):
            said = ours(each, "part_alias")
            asset.aliases.append(
                (text(said.get("organisation")), text(said.get("number")), text(said.get("drawing_no")))
            )


def structure(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """Lines of a bill of materials."""
    write_structure(context.found, context.assets, context.place, submodel, about)


def reliability(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """Declared values: mean times (in years where nobody says another unit) and B10 (in cycles), with conditions."""
    sets = find(submodel, "ReliabilityCharacteristics", "0112/2///62683#ACG080#001")
    conditions = _conditions(context, submodel, "OperatingConditionsOfReliabilityCharacteristics", len(sets))
    for number, (each, condition) in enumerate(zip(sets, conditions, strict=True)):
        place = f"{context.place}/{named(each) or number}"
        if exact := ours(each, "declared_value"):
            _declare(context, about, place, exact)
            continue
        mean = find(each, "MTBF", "0112/2///62683#ACE062#001")
        other = find(each, "MTTF", "0112/2///62683#ACE061#001")
        if mean and other and said_by(mean[0]) != said_by(other[0]):
            said, chosen = said_by(other[0]) or "", said_by(mean[0]) or ""
            context.found.note("document.contradiction", place, what="MTBF, MTTF", said=said, first=chosen)
        for figure in (mean or other)[:1]:
            _mean(context, about, place, figure, condition, None)
        for figure in find(each, "B10")[:1]:
            _figure(context, about, place, figure, "b10", 1.0, "cycles", condition, None)
        for figure in find(each, "FailureRate", "Lambda")[:1]:
            _rate(context, about, place, figure, None, condition, None)


def safety(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """Declared values that are about dangerous failures alone: MTTFD, B10D, PFH."""
    devices = find(submodel, "SafetyDeviceTypes", "0112/2///62683#ACG070#001")
    conditions = _conditions(context, submodel, "OperatingConditionsOfFunctionalSafetyCharacteristics", len(devices))
    for number, (device, condition) in enumerate(zip(devices, conditions, strict=True)):
        place = f"{context.place}/{named(device) or number}"
        for each in inside(device):
            for figure in find(each, "MTTFD", "0112/2///62683#ACE057#001")[:1]:
                _mean(context, about, place, figure, condition, DANGEROUS)
            for figure in find(each, "B10D", "0112/2///62683#ACE056#001")[:1]:
                _figure(context, about, place, figure, "b10", 1.0, "cycles", condition, DANGEROUS)
            for figure in find(each, "PFH", "0112/2///62683#ACE052#001")[:1]:
                _rate(context, about, place, figure, "1/h", condition, DANGEROUS)


def _conditions(context: Context, submodel: Element, name: str, sets: int) -> list[str | None]:
    """The conditions of each set: one for all of them, or one for each; otherwise nobody knows which is whose."""
    found = [
        "; ".join(f"{named(each)} {said}" for each in inside(one) if (said := said_by(each)))
        for one in find(submodel, name)
    ]
    if len(found) == 1:
        return [found[0] or None] * sets
    if len(found) == sets:
        return [each or None for each in found]
    if found:
        context.found.note("document.unused", context.place, what=name)
    return [None] * sets


def _unit(context: Context, figure: Element) -> str | None:
    return unit_of(figure) or context.units.get(meaning(figure))


def _mean(
    context: Context, about: Sequence[int], place: str, figure: Element, condition: str | None, mode: str | None
) -> None:
    unit = _unit(context, figure) or "y"
    hours = _HOURS.get(unit.casefold())
    if hours is None:
        context.found.note("document.bad_value", place, what=named(figure), said=f"{said_by(figure)} {unit}")
        return
    _figure(context, about, place, figure, "mtbf", hours, "h", condition, mode)


def _rate(
    context: Context, about: Sequence[int], place: str, figure: Element, usual: str | None,
    condition: str | None, mode: str | None,
) -> None:  # fmt: skip
    said = _unit(context, figure)
    unit = usual if said is None else _RATES.get(said.casefold())
    if unit is None:
        context.found.note("document.bad_value", place, what=named(figure), said=f"{said_by(figure)} {said or ''}")
        return
    _figure(context, about, place, figure, "failure_rate", 1.0, unit, condition, mode)


def _figure(
    context: Context, about: Sequence[int], place: str, figure: Element, metric: str, factor: float, unit: str,
    condition: str | None, mode: str | None,
) -> None:  # fmt: skip
    said = said_by(figure)
    if said is None:
        return
    try:
        value = float(said) * factor
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        context.found.note("document.bad_value", place, what=named(figure), said=said)
        return
    values: dict[str, Value] = {
        "metric": metric, "value": value, "unit": unit, "condition": condition, "mode": mode,
    }  # fmt: skip
    _declare(context, about, place, values, of_maker=True)


def _declare(
    context: Context, about: Sequence[int], place: str, values: dict[str, Value], *, of_maker: bool = False
) -> None:
    """Rows for the parts that it is about; `of_maker` for figures that do not say whose make they are about."""
    if not about:
        context.found.note("document.missing", place, what="assetAdministrationShell")
    for at in about:
        asset = context.assets[at]
        if asset.reference is None:
            continue
        if values.get("mode") == DANGEROUS:
            context.found.merge(
                "modes", ("part", "mode"), place,
                part=asset.reference, mode=DANGEROUS, name_zh="危险失效", name_en="Dangerous failure",
            )  # fmt: skip
        made = {"maker": asset.issuer} if of_maker else {}
        context.found.add("declared_values", part=asset.reference, **values, **made)


def changes(context: Context, submodel: Element, about: Sequence[int]) -> None:
    """Change and discontinuance notices (VDMA 24903)."""
    for records in find(submodel, "Records", "0173-1#02-ABI294#003"):
        for number, record in enumerate(inside(records)):
            _change(context, f"{context.place}/Records/{number}", record, about)


_MILESTONES = {"PCN": "effective_on", "EOS": "last_order_on", "LTD": "last_delivery_on"}


def _change(context: Context, place: str, record: Element, about: Sequence[int]) -> None:
    exact = next((ours(each, "change_notice") for each in find(record, "ChangeNotice")), {})
    item = next(iter(find(record, "ItemOfChange")), {})
    maker = next(iter(find(record, "Manufacturer")), {})
    successor = next((each for all_ in find(record, "RecommendedItems") for each in inside(all_)), {})
    information = next(iter(find(record, "PcnChangeInformation")), {})
    reasons = [
        " ".join(filter(None, (first(each, "ReasonClassificationSystem"), first(each, "ReasonId"))))
        for all_ in find(record, "ReasonsOfChange")
        for each in inside(all_)
    ]
    described = [first(information, name) for name in ("ChangeTitle", "ChangeDetail")]
    dates: dict[str, Value] = {}
    for all_ in find(record, "LifeCycleData"):
        for each in inside(all_):
            milestone = (first(each, "MilestoneClassification") or "").upper()
            if milestone in _MILESTONES:
                dates.setdefault(_MILESTONES[milestone], _day(first(each, "DateOfValidity")))
            else:
                context.found.note("document.unused", place, what=f"LifeCycleData {milestone}".strip())
    ended = (first(record, "PcnType") or "").upper() == "PDN"
    values: dict[str, Value] = {
        "id": first(record, "ManufacturerChangeID"),
        "maker": first(maker, "ManufacturerName"),
        "category": "discontinuation" if ended else None,
        "description": ": ".join(dict.fromkeys(filter(None, described))) or None,
        "reason": "; ".join(filter(None, (first(record, "PcnReasonComment"), *reasons))) or None,
        "announced_on": _day(first(record, "DateOfRecord")),
        "replacement": first(successor, "OrderCodeOfManufacturer"),
        **dates,
    }
    if "id" in exact:  # written by us: what it does not say is empty
        values = dict.fromkeys(values)
    values.update(exact)
    if values["id"] is None:
        context.found.note("document.missing", place, what="ManufacturerChangeID")
        return
    parts = _changed(context, record, item, about)
    if not parts:
        context.found.note("document.missing", place, what="OrderCodeOfManufacturer, ManufacturerAssetID")
    for part in parts:
        context.found.merge("change_notices", ("id", "part"), place, **{"part": part, **values})


def _changed(context: Context, record: Element, item: Element, about: Sequence[int]) -> list[str]:
    """The parts of a notice: the one it is about, and further numbers."""
    referred = [value for each in find(item, "ManufacturerAssetID") for value in keys(each.get("value"))[-1:]]
    assets = [at for each in referred if (at := context.assets.known(each)) is not None]
    subjects = [context.assets[at] for at in assets or about]
    code = first(item, "OrderCodeOfManufacturer")
    for asset in subjects:
        asset.number = asset.number or code
    further = [said for all_ in find(record, "AffectedPartNumbers") for each in inside(all_) if (said := said_by(each))]
    own = {asset.number for asset in subjects}
    others = [number for number in ([] if subjects else [code]) + further if number not in own]
    return list(dict.fromkeys(filter(None, (*(asset.reference for asset in subjects), *others))))


def _day(said: str | None) -> str | None:
    """The day of a point in time; xs:dateTime has the hour behind a T."""
    return None if said is None else said.split("T")[0]
