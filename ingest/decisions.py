"""What people decide about a sheet, and what they are asked: nothing that matters is guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chaingraph.errors import ChaingraphError
from chaingraph.register import Register
from ingest.headers import fold, sheet_kinds
from schema.text import Text

ASIDE = ""
"""The field of a column that is to be kept beside the rows, as if nobody knew it."""
KIND = "kind"
"""The question of what kind a sheet is; its answer is the decision about the kind, wherever it is given."""
NOT_REMEMBERED = ("sure", "value:")
"""Beginnings of questions about what single files say, which are asked anew for each."""
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
    free: bool = False
    """Whether any text is an answer; the options are then only proposed."""

    def takes(self, answer: str | None) -> bool:
        """Whether that is an answer to it."""
        return answer is not None and (answer in {each.value for each in self.options} or (self.free and bool(answer)))


class SheetDecisions(BaseModel):
    """What was decided about a sheet: its kind, its columns (field by position, or ASIDE), answers to questions.

    An answer to the question `kind` is the kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    take: bool = True
    kind: str | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)
    answers: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _answered_kind(cls, given: object) -> object:
        answers = given.get("answers") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(answers, Mapping) or KIND not in answers:
            return given
        if given.get(KIND) not in {None, answers[KIND]}:
            raise ValueError("the kind and the answer to its question differ")
        rest = {name: answer for name, answer in answers.items() if name != KIND}
        return {**given, KIND: answers[KIND], "answers": rest}

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


def check(
    decisions: Decisions, sheets: Mapping[str, Mapping[str, str]], asked: Mapping[str, Iterable[Question]] | None = None
) -> None:
    """Raise ChaingraphError `decisions.invalid` for what cannot be meant, naming the place.

    That is a sheet that there is not among `sheets` (headings by position, by the sheet's name), a kind that no sheet
    can be, a position without a column, a field that the kind (any kind where none is chosen) has not; where it is
    known what is `asked` about a sheet, also an answer that its question does not take.
    """
    kinds = {kind.name: kind for kind in sheet_kinds()}
    for name, decided in decisions.items():
        if name not in sheets:
            raise _invalid(name)
        if decided.kind is not None and decided.kind not in kinds:
            raise _invalid(f"{name}: {decided.kind}")
        able = [kinds[decided.kind]] if decided.kind else list(kinds.values())
        for position, field in decided.columns.items():
            known = field == ASIDE or (field != "stub" and any(field in kind.fields for kind in able))
            if position not in sheets[name] or not known:
                raise _invalid(f"{name}: {position} = {field}")
        questions = {each.id: each for each in (asked or {}).get(name, ())}
        for question, answer in decided.answers.items():
            if question in questions and not questions[question].takes(answer):
                raise _invalid(f"{name}: {question} = {answer}")


def still_valid(decided: SheetDecisions, header: Mapping[str, str]) -> tuple[SheetDecisions, tuple[str, ...]]:
    """Decisions of another day without those that mean nothing any more, and what these were: kinds that there are no
    longer (with all that was decided about their columns), fields that the kind has no longer, positions without a
    column.
    """
    kinds = {kind.name: kind for kind in sheet_kinds()}
    if decided.kind is not None and decided.kind not in kinds:
        return UNDECIDED, (decided.kind,)
    able = [kinds[decided.kind]] if decided.kind else list(kinds.values())
    gone = {
        position: field
        for position, field in decided.columns.items()
        if position not in header or (field != ASIDE and not any(field in kind.fields for kind in able))
    }
    if not gone:
        return decided, ()
    kept = {position: field for position, field in decided.columns.items() if position not in gone}
    return decided.model_copy(update={"columns": kept}), tuple(field or "–" for field in gone.values())


def layout(header: Mapping[str, str]) -> str:
    """What names a layout: the headings and where they stand, whatever their width, case, blanks and punctuation."""
    folded = "\n".join(f"{position}={fold(heading)}" for position, heading in header.items())
    return hashlib.sha256(folded.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Memory:
    """What an organisation has decided about layouts before: asked once, remembered for this supplier and layout."""

    register: Register
    by: str

    def recall(self, header: Mapping[str, str]) -> SheetDecisions:
        """The decisions of last time about a sheet with these headings, those that still mean something."""
        return self._recalled(header)[0]

    def outdated(self, header: Mapping[str, str]) -> tuple[str, ...]:
        """Kinds and fields of the decisions of last time that there are no longer."""
        return self._recalled(header)[1]

    def _recalled(self, header: Mapping[str, str]) -> tuple[SheetDecisions, tuple[str, ...]]:
        found = self.register.get(_LAYOUTS, self._name(header))
        if not found:
            return UNDECIDED, ()
        try:
            return still_valid(SheetDecisions.model_validate(found), header)
        except ValidationError:  # written by another version
            return UNDECIDED, ("–",)

    def keep(self, header: Mapping[str, str], decided: SheetDecisions) -> None:
        """Remember decisions; answers about what a single file says (NOT_REMEMBERED) are not for next time."""
        answers = {name: value for name, value in decided.answers.items() if not name.startswith(NOT_REMEMBERED)}
        kept = decided.model_copy(update={"take": True, "answers": answers})
        if kept != self.recall(header):
            self.register.put(_LAYOUTS, self._name(header), kept.model_dump(mode="json"))

    def forget(self, header: Mapping[str, str]) -> None:
        """Ask anew next time."""
        self.register.put(_LAYOUTS, self._name(header), None)

    def _name(self, header: Mapping[str, str]) -> str:
        return f"{self.by}/{layout(header)}"
