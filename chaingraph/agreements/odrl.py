"""Agreements as ODRL in the Catena-X profile, as far as their terms map, and such documents as terms.

The profile is CX-0152 "Policy Constraints for Data Exchange" (Catena-X Automotive Network e.V., release Saturn; its
schemas and contexts: github.com/catenax-eV/cx-odrl-profile, namespace https://w3id.org/catenax/2025/9/policy/), on the
messages of the Dataspace Protocol 2025-1 and the ODRL Information Model 2.2 (W3C). It allows only its own constraints:

- purposes are `UsagePurpose isAnyOf`: quality `cx.quality.base:1`, recall `cx.core.qualityNotifications:1`, planning
  `cx.puris.base:1`; research and oversight have none and are agreed individually, as the profile lets one;
- the end is `DataUsageEndDate` where the data are deleted then (its legal meaning), else an obligation to provide them
  until `DataProvisioningEndDate`, with `DataUsageEndDefinition` unlimited;
- what is not onward is a prohibition, `UsageRestriction` `cx.thirdParty.forbidden:1`;
- the two sides are assigner and assignee; the access policy has `BusinessPartnerNumber` for a BPNL, or
  `BusinessPartnerGroup`, with `Membership active`;
- owner, records, aspects and mode are what the offered asset is: they are in its name, `target`.

Neither has it a beginning, nor a permission to pass data on, nor a note: `Exported.unmapped` lists what is left out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from chaingraph.agreements.terms import Terms, member, ordered, records_of
from chaingraph.errors import ChaingraphError
from schema import Text
from schema.entities.agreement import CONSORTIUM, GROUP
from schema.vocabularies import Aspects, AtEnd, Disclosure, Purpose

CONTEXT = (
    "https://w3id.org/catenax/2025/9/policy/odrl.jsonld",
    "https://w3id.org/catenax/2025/9/policy/context.jsonld",
)
PURPOSES: dict[str, Purpose] = {
    "cx.quality.base:1": Purpose.QUALITY,
    "cx.core.qualityNotifications:1": Purpose.RECALL,
    "cx.puris.base:1": Purpose.PLANNING,
    "chaingraph.research:1": Purpose.RESEARCH,
    "chaingraph.oversight:1": Purpose.OVERSIGHT,
}
"""What the profile (the last two: an individual agreement) calls the purposes."""
_ALSO = {"cx.dcm.base:1": Purpose.PLANNING}
_EDGES = {"gteq": "start", "gt": "start", "lt": "end", "lteq": "end"}
_ASSET = "urn:chaingraph:data:"
_BPNL = re.compile(r"^BPNL[0-9A-Z]{12}$")


@dataclass(frozen=True, slots=True)
class Exported:
    """A JSON-LD document, and what of the terms it does not say: the field and why."""

    document: dict[str, Any]
    unmapped: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """Terms, the fields that a document said, and what of it was not understood (the place and what stands there)."""

    terms: Terms
    said: tuple[str, ...]
    unread: tuple[tuple[str, str], ...]


def export(terms: Terms, key: str, accepted: dt.datetime | None = None) -> Exported:
    """The terms of a version (`key`, its `id/version`) as an access and a usage policy in one graph.

    With the time at which it was `accepted` it is an Agreement of the Dataspace Protocol, else a Set.
    """
    name = f"urn:chaingraph:agreement:{quote(key, safe='/')}"
    parties: dict[str, Any] = {"assigner": terms.owner, "assignee": terms.grantee, "target": _asset(terms)}
    kind: dict[str, Any] = {"@type": "Set"}
    if accepted is not None:
        kind = {"@type": "Agreement", "timestamp": _written(accepted)}
    access = {
        **kind, "@id": f"{name}#access", **parties,
        "permission": [{"action": "access", "constraint": _who(terms.grantee)}],
    }  # fmt: skip
    names = {purpose: said for said, purpose in PURPOSES.items()}
    usage = [
        _atom("FrameworkAgreement", "eq", "DataExchangeGovernance:1.0"),
        _atom("UsagePurpose", "isAnyOf", [names[member(Purpose, code)] for code in terms.purposes]),
    ]
    policy: dict[str, Any] = {**kind, "@id": f"{name}#usage", **parties}
    if terms.at_end is AtEnd.DELETE:
        usage.append(_atom("DataUsageEndDate", "eq", _written(terms.end)))
    else:
        usage.append(_atom("DataUsageEndDefinition", "eq", "cx.dataUsageEnd.unlimited:1"))
    policy["permission"] = [{"action": "use", "constraint": usage}]
    if not terms.onward:
        forbidden = _atom("UsageRestriction", "isAllOf", ["cx.thirdParty.forbidden:1"])
        policy["prohibition"] = [{"action": "use", "constraint": [forbidden]}]
    if terms.at_end is AtEnd.KEEP:
        until = _atom("DataProvisioningEndDate", "eq", _written(terms.end))
        policy["obligation"] = [{"action": "use", "constraint": [until]}]
    return Exported({"@context": list(CONTEXT), "@graph": [access, policy]}, tuple(_unmapped(terms)))


def read(document: Any, defaults: Terms) -> Imported:
    """The terms of a document, as far as it says them; the rest of `defaults`.

    Leniently: prefixes (`odrl:`, `cx-policy:`), single values for lists, one policy or a graph of them, dates as
    `dateTime` constraints. Whatever is not understood is listed; where passing on is not forbidden it is still not
    allowed. Raises ChaingraphError `agreement.odrl` for what is no policy, `agreement.terms`.
    """
    policies = [each for each in _policies(document) if _rules(each, "permission") or _rules(each, "prohibition")]
    if not policies:
        raise ChaingraphError(
            "agreement.odrl",
            Text("文件中没有 ODRL 策略。", "There is no ODRL policy in it."),
            Text("请提供含 permission 的 JSON-LD。", "Give JSON-LD that has a permission."),
        )
    reader = _Reader()
    for policy in policies:
        reader.policy(policy)
    terms = replace(defaults, **reader.found)
    terms.check()
    return Imported(terms, tuple(sorted(reader.found)), tuple(reader.unread))


def _unmapped(terms: Terms) -> Iterator[tuple[str, Text]]:
    yield (
        "start",
        Text("该规范没有开始时间：自订立时起。", "The profile has no beginning: it is the moment of the agreement."),
    )
    if terms.end.microsecond:
        yield "end", Text("只写到秒。", "Times have whole seconds.")
    if terms.onward:
        yield (
            "onward",
            Text("该规范没有转授的许可；未写禁止转授。", "There is no permission to pass on; it is left unsaid."),
        )
    if terms.mode is not Disclosure.SHOW:
        yield (
            "mode",
            Text(
                "只写在数据资产的名称中，其他系统不会执行。",
                "It is in the asset's name only; other systems do not enforce it.",
            ),
        )
    if terms.note:
        yield "note", Text("说明不是条款。", "A note is no term.")


def _who(grantee: str) -> list[dict[str, Any]]:
    """The constraints of an access policy."""
    active = _atom("Membership", "eq", "active")
    if grantee.startswith((CONSORTIUM, GROUP)):
        return [active, _atom("BusinessPartnerGroup", "isAnyOf", [grantee])]
    return [active, _atom("BusinessPartnerNumber", "isAnyOf", [grantee])] if _BPNL.match(grantee) else [active]


def _atom(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _asset(terms: Terms) -> str:
    what = {"records": terms.records, "aspects": ";".join(terms.aspects), "mode": terms.mode.value}
    return f"{_ASSET}{quote(terms.owner, safe='')}?{urlencode(what)}"


def _written(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _policies(document: Any) -> Iterator[Mapping[str, Any]]:
    """The policies in a document: itself, those of its graph or list, those in wrappers such as `policy`."""
    if isinstance(document, list):
        for each in document:
            yield from _policies(each)
    elif isinstance(document, Mapping):
        if _rules(document, "permission") or _rules(document, "prohibition"):
            yield document
        else:
            for value in document.values():
                if isinstance(value, Mapping | list):
                    yield from _policies(value)


def _get(of: Mapping[str, Any], name: str) -> Any:
    """A value by its name, whatever its prefix."""
    return next((value for key, value in of.items() if _plain(key) == name), None)


def _rules(policy: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [each for each in _list(_get(policy, name)) if isinstance(each, Mapping)]


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _plain(value: Any) -> str:
    """A term without its prefix, an object by its `@id` or `@value`."""
    if isinstance(value, Mapping):
        value = value.get("@id", value.get("@value", ""))
    text = str(value)
    for prefix in ("odrl:", "cx-policy:", "edc:", "https://w3id.org/edc/v0.0.1/ns/", "http://www.w3.org/ns/odrl/2/"):
        text = text.removeprefix(prefix)
    return re.sub(r"^https://w3id\.org/(catenax|tractusx)/([\d/]+/)?policy/(v[\d.]+/)?", "", text)


@dataclass
class _Reader:
    """Fields of terms as they are found in policies, and what was not understood."""

    found: dict[str, Any] = field(default_factory=dict)
    unread: list[tuple[str, str]] = field(default_factory=list)
    used: bool = False
    """Whether a permission to use was read: another one has its own conditions, and terms have but one set."""

    def policy(self, policy: Mapping[str, Any]) -> None:
        """One policy."""
        for name, side in (("assigner", "owner"), ("assignee", "grantee")):
            if (value := _get(policy, name)) is not None:
                self.found[side] = _plain(value)
        if (target := _get(policy, "target")) is not None:
            self.target(_plain(target))
        for rule in ("permission", "prohibition", "obligation"):
            for number, each in enumerate(_rules(policy, rule)):
                place = f"{rule}[{number}]"
                action = _plain(_get(each, "action"))
                again = (rule, action) == ("permission", "use") and self.used
                if action not in {"use", "access"} or again:
                    self.unread.append((place if again else f"{place}.action", str(each) if again else action))
                    continue
                self.used |= (rule, action) == ("permission", "use")
                for atom in self.atoms(each, place):
                    getattr(self, rule)(place, *atom)
                if _get(each, "duty") is not None:
                    self.unread.append((f"{place}.duty", str(_get(each, "duty"))))

    def atoms(self, rule: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, list[str]]]:
        """The constraints of a rule that all must hold: left operand, operator, right operands."""
        waiting = _list(_get(rule, "constraint"))
        while waiting:
            each = waiting.pop(0)
            both = _get(each, "and") if isinstance(each, Mapping) else None
            if both is not None:
                waiting += _list(both.get("@list", both) if isinstance(both, Mapping) else both)
            elif isinstance(each, Mapping) and _get(each, "leftOperand") is not None:
                right = [_plain(value) for value in _list(_get(each, "rightOperand"))]
                yield _plain(_get(each, "leftOperand")), _plain(_get(each, "operator")), right
            else:
                self.unread.append((f"{place}.constraint", str(each)))

    def permission(self, place: str, left: str, operator: str, right: list[str]) -> None:
        """A constraint of a permission."""
        if left == "UsagePurpose" and operator in {"isAnyOf", "eq"}:
            known = PURPOSES | _ALSO
            codes = [known[each].value for each in right if each in known]
            self.unread += [(f"{place}.UsagePurpose", each) for each in right if each not in known]
            if codes:
                self.found["purposes"] = ordered(Purpose, {*codes, *self.found.get("purposes", ())})
        elif left == "DataUsageEndDate" and operator == "eq" and self.time("end", right):
            self.found["at_end"] = AtEnd.DELETE
        elif left == "DataUsageEndDefinition" and right == ["cx.dataUsageEnd.unlimited:1"]:
            self.found.setdefault("at_end", AtEnd.KEEP)
        elif left == "dateTime" and operator in _EDGES and self.time(_EDGES[operator], right):
            return
        elif left == "BusinessPartnerNumber" and operator in {"isAnyOf", "eq", "isPartOf"} and len(right) == 1:
            self.found.setdefault("grantee", right[0])
        elif left == "BusinessPartnerGroup" and operator in {"isAnyOf", "eq", "isPartOf"} and len(right) == 1:
            group = right[0] if right[0].startswith((CONSORTIUM, GROUP)) else CONSORTIUM + right[0]
            self.found.setdefault("grantee", group)
        elif not (left in {"Membership", "FrameworkAgreement"} and operator == "eq"):
            self.unread.append((f"{place}.{left}", f"{operator} {', '.join(right)}"))

    def prohibition(self, place: str, left: str, operator: str, right: list[str]) -> None:
        """A constraint of a prohibition."""
        if left == "UsageRestriction" and "cx.thirdParty.forbidden:1" in right:
            self.found["onward"] = False
            right = [each for each in right if each != "cx.thirdParty.forbidden:1"]
            if not right:
                return
        self.unread.append((f"{place}.{left}", f"{operator} {', '.join(right)}"))

    def obligation(self, place: str, left: str, operator: str, right: list[str]) -> None:
        """A constraint of an obligation."""
        if not (left == "DataProvisioningEndDate" and operator == "eq" and self.time("end", right)):
            self.unread.append((f"{place}.{left}", f"{operator} {', '.join(right)}"))

    def time(self, name: str, right: list[str]) -> bool:
        """Take a time; false, and nothing taken, where it is none."""
        try:
            found = dt.datetime.fromisoformat(right[0])
        except (IndexError, ValueError):
            return False
        found = found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
        if name == "end":  # the earliest end of all that are said
            found = min(found, self.found.get("end", found))
        self.found[name] = found
        return True

    def target(self, name: str) -> None:
        """What the name of one of our assets says; another's says nothing to us."""
        if not name.startswith(_ASSET):
            self.unread.append(("target", name))
            return
        said = dict(parse_qsl(name.partition("?")[2]))
        if "records" in said:
            self.found["records"] = records_of(said["records"])
        if "aspects" in said:
            self.found["aspects"] = ordered(Aspects, said["aspects"])
        if said.get("mode") in Disclosure.codes():
            self.found["mode"] = member(Disclosure, said["mode"])
