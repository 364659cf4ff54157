"""An upload on its way: who brings which files, what was decided about them, and how far it has come."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from chaingraph.register import Register
from ingest.decisions import SheetDecisions
from schema.vocabularies import DraftState

_COLLECTION = "drafts"


class DraftFile(BaseModel):
    """A file of a draft: its name as the sender has it (made harmless), and its size in bytes where it was said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: int | None = None


class ReceiptSheet(BaseModel):
    """What became of a sheet: its rows, those that were taken (new or changed) and those refused, and its upload, None
    where it brought nothing new.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    kind: str | None
    upload: str | None
    rows: int
    taken: int
    refused: int


class Receipt(BaseModel):
    """What whoever brought an upload is given: its number, which is the load's, and what became of each sheet.

    Of an upload whose worker died before it could write, sheets that brought nothing new are not told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    at: dt.datetime
    sheets: tuple[ReceiptSheet, ...] = ()

    @property
    def refused(self) -> int:
        """How many rows were refused."""
        return sum(each.refused for each in self.sheets)

    @property
    def taken(self) -> int:
        """How many rows were new or changed."""
        return sum(each.taken for each in self.sheets)


class Shown(BaseModel):
    """What a preview showed: its digest, whether it can be confirmed, and what it depended on.

    `marks` tells the files and decisions, `revision` the graph; `sheets` have name, heading by position, and what was
    decided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    ready: bool
    marks: str
    revision: int
    sheets: tuple[tuple[str, Mapping[str, str], SheetDecisions], ...] = ()


class Draft(BaseModel):
    """An upload that was begun.

    `by` is whose it is ("" for the administrator of an embedded store), `account` who brought it. `seen` is the digest
    of the preview that was confirmed, `load` the number of the load that it is to become. `problem` says, by its code
    and in both languages, why it was not taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    by: str
    account: str = ""
    at: dt.datetime
    changed: dt.datetime
    state: DraftState = DraftState.OPEN
    files: tuple[DraftFile, ...] = ()
    decisions: Mapping[str, SheetDecisions] = Field(default_factory=dict)
    strict: bool = False
    replace: str | None = None
    seen: str | None = None
    load: str | None = None
    problem: tuple[str, str, str] | None = None
    report: Mapping[str, object] | None = None
    """The report of the load in both languages (`zh`, `en`), once it is taken."""
    receipt: Receipt | None = None


class Drafts:
    """The drafts of all organisations, as records of the register."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def new(self, by: str, account: str) -> Draft:
        """A draft that nobody has begun before; it is not kept yet."""
        now = dt.datetime.now(dt.UTC)
        return Draft(id=f"D-{secrets.token_hex(6)}", by=by, account=account, at=now, changed=now)

    def get(self, by: str, number: str) -> Draft | None:
        """A draft of an organisation; None where there is none of that number, or it is somebody else's."""
        found = self._register.get(_COLLECTION, f"{by}/{number}", fresh=True)
        return None if found is None else Draft.model_validate(found)

    def put(self, draft: Draft) -> Draft:
        """Keep a draft as it is now."""
        kept = draft.model_copy(update={"changed": dt.datetime.now(dt.UTC)})
        self._register.put(_COLLECTION, f"{draft.by}/{draft.id}", kept.model_dump(mode="json"))
        return kept

    def drop(self, draft: Draft) -> None:
        """Forget a draft."""
        self._register.put(_COLLECTION, f"{draft.by}/{draft.id}", None)

    def all(self, by: str | None = None) -> list[Draft]:
        """The drafts of an organisation, or of all, the newest first."""
        some = _COLLECTION if by is None else f"{_COLLECTION}/{by}"
        found = (Draft.model_validate(record) for _, record in self._register.all(some))
        return sorted((d for d in found if by is None or d.by == by), key=lambda d: d.at, reverse=True)
