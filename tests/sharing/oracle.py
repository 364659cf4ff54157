"""What a viewer may see by the rules, stated the slow way: one agreement, one row, one aspect, one moment at a time.

Each decision is Cedar's (cedarpy), on a policy that says the rules in words of its own; around it there is plain Python
for what policies do not compute: who is a member, what is below a part, and chains of agreements. It shares nothing
with chaingraph.rights and chaingraph.seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import cedarpy

from schema import kind
from tests.sharing.worlds import AT, FIRMS, Row, World

POLICY = cedarpy.PolicySet.from_str(
    """
    permit (principal, action == Action::"have", resource) when {
      context.state == "accepted" && context.start <= context.now && context.now < context.end
      && context.purposes.contains(context.purpose)
      && context.called.contains(context.grantee)
      && context.owner == resource.holder && context.owner != context.firm
      && context.aspects.containsAll(context.wanted)
      && ((context.wish == "pool")
          || (context.wish == "use" && context.mode != "pool")
          || (context.wish == "show" && context.mode == "show"))
    };
    """
)
"""May a firm have a row, in some aspects and in one way, of whoever holds it, by one agreement? Scopes come after."""
ASPECTS = {
    "part": "structure",
    "contains": "structure",
    "supplies": "supply",
    "lot": "structure",
    "life_record": "failures",
}
SUBJECT = {"contains": "parent", "supplies": "part", "lot": "part", "life_record": "part"}
FIRM_FIELDS = {
    "part": ["issuer"],
    "contains": [],
    "supplies": ["supplier", "customer"],
    "lot": ["maker"],
    "life_record": ["maker"],
}
PART_FIELDS = {
    "part": [],
    "contains": ["parent", "child"],
    "supplies": ["part"],
    "lot": ["part"],
    "life_record": ["part", "product"],
}


class Oracle:
    """The rules for one world."""

    def __init__(self, world: World, ways: Iterable[str] = ("show",)) -> None:
        self.world = world
        self._ways = tuple(ways)
        self._decided: dict[tuple[Any, ...], bool] = {}
        entities: list[Any] = [{"uid": {"type": "Firm", "id": f}, "attrs": {}, "parents": []} for f in FIRMS]
        entities += [{"uid": {"type": "Row", "id": f}, "attrs": {"holder": f}, "parents": []} for f in FIRMS]
        self._entities = cedarpy.Entities.from_json_str(json.dumps(entities))
        self._decide()

    def _decide(self) -> None:
        """Ask Cedar everything that may come up, at once."""
        asked, requests = [], []
        wanted: list[tuple[str, ...]] = [(a,) for a in ("structure", "supply", "failures", "cost")]
        wanted += [(a, "identity") for a in ("structure", "supply", "failures")]
        for number, row in enumerate(self.world.rows["agreement"]):
            for firm in FIRMS if row["onward"] else [self.world.viewer]:
                for want in wanted:
                    for wish in self._ways:
                        asked.append((number, firm, want, wish))
                        requests.append(self._request(row, firm, want, wish))
        answers = cedarpy.is_authorized_batch(requests, POLICY, self._entities) if requests else []
        self._decided = {each: answer.allowed for each, answer in zip(asked, answers, strict=True)}

    def _request(self, row: Row, firm: str, want: tuple[str, ...], wish: str) -> dict[str, Any]:
        def time(moment: Any) -> dict[str, Any]:
            return {"__extn": {"fn": "datetime", "arg": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}

        return {
            "principal": {"type": "Firm", "id": firm},
            "action": {"type": "Action", "id": "have"},
            "resource": {"type": "Row", "id": row["owner"]},
            "context": {
                "state": row["state"], "start": time(row["start"]), "end": time(row["end"]), "now": time(AT),
                "purposes": row["purposes"].split(";"), "purpose": self.world.purpose, "called": self.called(firm),
                "grantee": row["grantee"], "owner": row["owner"], "firm": firm, "mode": row["mode"], "wish": wish,
                "aspects": row["aspects"].split(";"), "wanted": list(want),
            },
        }  # fmt: skip

    def called(self, firm: str) -> list[str]:
        """What grantees a firm is among."""
        rows, found = self.world.rows, [firm, "everyone"]
        (consortium,) = rows["consortium"]
        if consortium["leader"] == firm:
            found.append("consortium:K")
        stated: set[str] = set()
        for row in rows["member"]:
            if row["organisation"] in stated:
                continue
            stated.add(row["organisation"])
            begun = row["since"] is None or row["since"] <= AT.date()
            over = row["until"] is not None and row["until"] <= AT.date()
            counts = row["owner"] in (consortium["leader"], consortium["owner"])
            if row["organisation"] == firm and begun and not over and counts:
                found.append("consortium:K")
                found += [f"group:K/{name}" for name in (row["groups"] or "").split(";") if name]
        return found

    def below(self, start: str, stating: set[str]) -> set[str]:
        """A part and all that some firms say is in it."""
        found, waiting = {start}, [start]
        while waiting:
            part = waiting.pop()
            for row in self.world.rows["contains"]:
                if row["parent"] == part and row["owner"] in stating and row["child"] not in found:
                    found.add(row["child"])
                    waiting.append(row["child"])
        return found

    def within(self, agreement: Row, name: str, row: Row) -> bool:
        """Whether a row is among an agreement's records."""
        if agreement["records"] == "all":
            return True
        stating = {agreement["owner"], self.world.viewer}
        about = f"{row['issuer']}/{row['number']}" if name == "part" else row[SUBJECT[name]]
        for term in agreement["records"].split(";"):
            what, key = term.split(":")
            other = what == "product" and row.get("product") not in (None, key)
            if what == "part" and about == key:
                return True
            if what in {"subtree", "product"} and not other and about in self.below(key, stating):
                return True
            if what == "class" and any(
                f"{part['issuer']}/{part['number']}" == about and part["part_class"] == key
                and part["owner"] in stating | {part["issuer"]}
                for part in self.world.rows["part"]
            ):  # fmt: skip
                return True
        return False

    def granted(self, name: str, row: Row, wanted: tuple[str, ...], wish: str) -> bool:
        """Whether some chain of agreements from the row's owner to the viewer lets the viewer have it."""
        agreements = self.world.rows["agreement"]
        viewer = self.world.viewer

        def reaches(holder: str, passed: tuple[str, ...]) -> bool:
            for number, each in enumerate(agreements):
                if each["owner"] != holder or not self.within(each, name, row):
                    continue
                if self._decided[number, viewer, wanted, wish]:
                    return True
                for firm in FIRMS:
                    onward = each["onward"] and firm not in (*passed, holder, viewer)
                    if onward and self._decided[number, firm, wanted, wish] and reaches(firm, (*passed, holder)):
                        return True
            return False

        return reaches(row["owner"], ())

    def revealed(self) -> set[str]:
        """The firm whose name all that were asked have granted."""
        rows = [r for r in self.world.rows["identity_request"] if r["requester"] == self.world.viewer]
        rows = [r for r in rows if r["purpose"] == self.world.purpose]
        good = rows and all(r["state"] == "granted" and (r["until"] is None or r["until"] > AT) for r in rows)
        return {rows[0]["subject"]} if good else set()

    def visible(self, name: str, wish: str) -> dict[str, dict[str, Any]]:
        """What is seen of the rows of a kind, by their marks: fields, with `?` and the firm for a pseudonym."""
        viewer, found = self.world.viewer, {}
        known = {viewer} | self.revealed()
        for row in stored(name, self.world.rows[name]):
            own = row["owner"] == viewer
            party = name == "part" and row["issuer"] == viewer
            granted = own or self.granted(name, row, (ASPECTS[name],), wish)
            if not (granted or party):
                continue
            shown = dict(row)
            if not own:
                shown |= {"upload": None, "row": None, "extra": None}
            if not granted:
                shown["owner"] = None
            if name == "supplies" and not (own or self.granted(name, row, ("cost",), wish)):
                shown["price"] = None
            if not own and not self.granted(name, row, (ASPECTS[name], "identity"), wish):
                told = known | {row["owner"]}
                for field in FIRM_FIELDS[name]:
                    if row[field] is not None and row[field] not in told:
                        shown[field] = f"?{row[field]}"
                for field in PART_FIELDS[name]:
                    if row.get(field) is not None and row[field][0] not in told:
                        shown[field] = f"?{row[field][0]}/?{row[field]}"
                if name == "lot" and row["maker"] is not None and row["maker"] not in told:
                    shown["code"] = f"?{row['maker']}|{row['code']}"
                if name == "part" and row["issuer"] not in told:
                    shown["number"] = f"?{row['issuer']}/{row['number']}"
            found[mark(name, row)] = shown
        return found


def stored(name: str, rows: Iterable[Row]) -> list[Row]:
    """The rows as a store has them: the first of those with one key."""
    of, kept, seen = kind(name), [], set()
    for row in rows:
        key = (*(row.get(field) for field in of.key), row["owner"] if of.by_owner else "")
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def mark(name: str, row: Row) -> str:
    """What tells a row from all others, and is never masked."""
    field = {
        "part": "name_en",
        "contains": "quantity",
        "supplies": "capacity",
        "lot": "quantity",
        "life_record": "symptom",
    }[name]
    return str(row[field])
