"""The terms of an agreement, in the one form in which they are stored, and whom they bind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from chaingraph.errors import ChaingraphError
from chaingraph.snapshot import Snapshot
from schema import Text
from schema.core import Vocabulary
from schema.entities.agreement import ALL, CONSORTIUM, EVERYONE, GROUP, Agreement
from schema.vocabularies import Aspects, AtEnd, Disclosure, Purpose

AGREEMENT = "agreement"
V = TypeVar("V", bound=Vocabulary)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed: `owner`'s data (an organisation's key), with `grantee`, about `records`, from `start` to `end`.

    `aspects` and `purposes` are in the order of their vocabularies, `records` as a stored row has them: `all`, or
    `part:KEY` and the like with semicolons between; times are in UTC. `Terms.of` makes this form of anything alike.
    """

    owner: str
    grantee: str
    aspects: tuple[str, ...]
    purposes: tuple[str, ...]
    start: dt.datetime
    end: dt.datetime
    records: str = ALL
    onward: bool = False
    at_end: AtEnd = AtEnd.KEEP
    mode: Disclosure = Disclosure.SHOW
    note: str | None = None

    @classmethod
    def of(
        cls, owner: str, grantee: str, aspects: Any, purposes: Any, start: dt.datetime, end: dt.datetime,
        records: str = ALL, onward: bool = False, at_end: str = AtEnd.KEEP, mode: str = Disclosure.SHOW,
        note: str | None = None,
    ) -> Self:  # fmt: skip
        """Terms with codes in order, times in UTC (those without a zone are taken as UTC), blanks taken off.

        Raises ChaingraphError `agreement.terms` for codes that are unknown and values that no agreement has.
        """
        made = cls(
            owner.strip(), grantee.strip(), ordered(Aspects, aspects), ordered(Purpose, purposes), _utc(start),
            _utc(end), records_of(records), onward, _code(AtEnd, at_end), _code(Disclosure, mode),
            (note or "").strip() or None,
        )  # fmt: skip
        made.check()
        return made

    def check(self) -> None:
        """Raises ChaingraphError `agreement.terms` unless an agreement may have these terms."""
        if not self.owner or not self.grantee:
            raise refused(Text("未说明双方。", "It is not said between whom."))
        if self.owner == self.grantee:
            raise refused(Text("不能与自己订立协议。", "Nobody agrees with itself."))
        if not self.aspects or not self.purposes:
            raise refused(Text("未说明共享内容或用途。", "It is not said what is shared, or for what."))
        try:
            Agreement.model_validate({"id": "?", **self.row()})
        except ValidationError as error:
            first = error.errors()[0]
            rule = next((r for r in Agreement.ROW_RULES if f"{r.code}:" in first["msg"]), None)
            if rule is not None:
                raise refused(rule.text, rule.remedy) from None
            field = ".".join(str(each) for each in first["loc"])
            raise refused(Text(f"{field}：取值无效。", f"{field}: {first['msg']}.")) from None

    def row(self) -> dict[str, Any]:
        """The fields of a row of the kind `agreement`, by name."""
        return {
            "grantee": self.grantee, "records": self.records, "aspects": ";".join(self.aspects),
            "purposes": ";".join(self.purposes), "start": self.start, "end": self.end, "onward": self.onward,
            "at_end": self.at_end.value, "mode": self.mode.value, "note": self.note,
        }  # fmt: skip

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        """The terms of a stored row."""
        aspects, purposes = (tuple(row[name].split(";")) for name in ("aspects", "purposes"))
        at_end, mode = member(AtEnd, row["at_end"]), member(Disclosure, row["mode"])
        return cls(
            row["owner"], row["grantee"], aspects, purposes, row["start"], row["end"], row["records"], row["onward"],
            at_end, mode, row["note"],
        )  # fmt: skip

    def active(self, at: dt.datetime) -> bool:
        """Whether it is within its dates: the start is, the end is not."""
        return self.start <= at < self.end


FIXED = ("grantee", "records", "aspects", "purposes", "start", "end", "onward", "at_end", "mode", "note")
"""The fields of a version that never change."""


def refused(text: Text, remedy: Text | None = None) -> ChaingraphError:
    """Terms that no agreement may have."""
    return ChaingraphError("agreement.terms", text, remedy or Text("请更正条款。", "Correct the terms."))


def ordered(of: type[Vocabulary], given: Any) -> tuple[str, ...]:
    """Codes (a text with semicolons between, or several) in the order of their vocabulary, each once.

    Raises ChaingraphError `agreement.terms` for a code that is unknown.
    """
    several = given.split(";") if isinstance(given, str) else list(given)
    codes = {str(each).strip() for each in several} - {""}
    if unknown := sorted(codes.difference(of.codes())):
        raise refused(
            Text(f"未知的代码：{'、'.join(unknown)}。", f"Unknown codes: {', '.join(unknown)}."),
            Text(f"可用的代码：{'、'.join(of.codes())}。", f"Codes are {', '.join(of.codes())}."),
        )
    return tuple(code for code in of.codes() if code in codes)


def member(of: type[V], code: str) -> V:
    """The member of a vocabulary that has a code."""
    return next(each for each in of if each.value == code)


def records_of(text: str) -> str:
    """Records in the form in which they are stored: no blanks, each once, `all` alone."""
    pieces = list(dict.fromkeys(piece.strip() for piece in text.split(";") if piece.strip()))
    return ALL if ALL in pieces else ";".join(pieces)


def grantee_of(text: str, organisations: set[str], consortia: set[str]) -> str:
    """A grantee as it is stored: an organisation's key stays, a consortium's key written plainly gets `consortium:`.

    What is neither of those given stays as it is.
    """
    plain = text.strip()
    return CONSORTIUM + plain if plain not in organisations and plain in consortia else plain


def leader_of(snapshot: Snapshot, grantee: str) -> str | None:
    """Who agrees for a grantee: the firm itself, the leader of the consortium or of the group's; None for everyone."""
    if grantee == EVERYONE:
        return None
    if grantee.startswith((CONSORTIUM, GROUP)):
        name = grantee.partition(":")[2]
        key = name.partition("/")[0] if grantee.startswith(GROUP) else name
        consortia = snapshot.table("consortium")
        found = consortia.filter(consortia["key"] == key)["leader"]
        return str(found[0]) if len(found) else ""
    return grantee


def grantee_text(grantee: str) -> Text:
    """What people call a grantee."""
    if grantee == EVERYONE:
        return Text("所有用户", "everyone")
    if grantee.startswith(GROUP):
        consortium, _, name = grantee.removeprefix(GROUP).partition("/")
        return Text(f"联合体 {consortium} 的工作组 {name}", f"the group {name} of consortium {consortium}")
    if grantee.startswith(CONSORTIUM):
        name = grantee.removeprefix(CONSORTIUM)
        return Text(f"联合体 {name} 的成员", f"the members of consortium {name}")
    return Text(grantee, grantee)


def _utc(time: dt.datetime) -> dt.datetime:
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _code(of: type[V], code: str) -> V:
    codes = ordered(of, [code])
    if not codes:
        raise refused(Text("缺少代码。", "A code is missing."))
    return member(of, codes[0])
