"""What people decide about a sheet, and what they are asked: nothing that matters is guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chaingraph.errors import ChaingraphError
from chaingraph.register import Register
from ingest.headers import fold
from schema.text import Text

ASIDE = ""
"""The field of a column that is to be kept beside the rows, as if nobody knew it."""
_LAYOUTS = "layouts"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question."""

    value: str
    text: Text


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a file leaves open, asked once for a column or a sheet.

    `id` is unique in the sheet and the same whenever the same file is looked at: the code, for a column with its
    position (`dates:3`). While a `required` one has no answer the sheet is not taken. `examples` are cells in doubt.
    """

    id: str
    text: Text
    options: tuple[Option, ...]
    column: str | None = None
    """Heading of the column that it is about."""
    examples: tuple[str, ...] = ()
    required: bool = True
    answer: str | None = None


class SheetDecisions(BaseModel):
    """What was decided about a sheet: its kind, its columns (field by position, or ASIDE), answers to questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    take: bool = True
    kind: str | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)
    answers: Mapping[str, str] = Field(default_factory=dict)

    def over(self, older: SheetDecisions) -> SheetDecisions:
        """These decisions, and where they say nothing the older ones, unless those are of another kind."""
        if self.kind is not None and older.kind is not None and self.kind != older.kind:
            return self
        return SheetDecisions(
            take=self.take,
            kind=self.kind or older.kind,
            columns={**older.columns, **self.columns},
            answers={**older.answers, **self.answers},
        )


Decisions = Mapping[str, SheetDecisions]
"""Decisions by the sheet's name, as reports have it (`parts.csv`, `book.xlsx[Sheet1]`)."""
UNDECIDED = SheetDecisions()


def read_decisions(given: object) -> dict[str, SheetDecisions]:
    """Decisions out of JSON; raises ChaingraphError `decisions.invalid`, naming the place."""
    if not isinstance(given, dict):
        raise _invalid("–")
    try:
        return {str(name): SheetDecisions.model_validate(each) for name, each in given.items()}
    except ValidationError as error:
        raise _invalid(".".join(str(piece) for piece in error.errors()[0]["loc"])) from None


def _invalid(place: str) -> ChaingraphError:
    return ChaingraphError(
        "decisions.invalid",
        Text(f"列对应关系无法识别（{place}）。", f"The decisions cannot be read ({place})."),
        Text("请重新选择。", "Choose anew."),
    )


def layout(header: Mapping[str, str]) -> str:
    """What names a layout: the headings in their order, whatever their width, case, blanks and punctuation."""
    folded = "\n".join(fold(heading) for heading in header.values())
    return hashlib.sha256(folded.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Memory:
    """What an organisation has decided about layouts before: asked once, remembered for this supplier and layout."""

    register: Register
    by: str

    def recall(self, header: Mapping[str, str]) -> SheetDecisions:
        """The decisions of last time about a sheet with these headings."""
        found = self.register.get(_LAYOUTS, self._name(header))
        return SheetDecisions.model_validate(found) if found else UNDECIDED

    def keep(self, header: Mapping[str, str], decided: SheetDecisions) -> None:
        """Remember decisions; answers about single values (`sure:`) are not for next time."""
        answers = {name: value for name, value in decided.answers.items() if not name.startswith("sure")}
        kept = decided.model_copy(update={"take": True, "answers": answers})
        if kept != self.recall(header):
            self.register.put(_LAYOUTS, self._name(header), kept.model_dump(mode="json"))

    def forget(self, header: Mapping[str, str]) -> None:
        """Ask anew next time."""
        self.register.put(_LAYOUTS, self._name(header), None)

    def _name(self, header: Mapping[str, str]) -> str:
        return f"{self.by}/{layout(header)}"
