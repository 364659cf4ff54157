"""Which column of a sheet is which field, and which kind of sheet it is; what is not exact is only suggested."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ingest import units
from ingest.kind_words import DIGITS, LEVEL, LEVEL_COLUMN, WORDS
from schema import KINDS, Kind, Personal
from schema.core import Field
from schema.entities.organisation import PERSONAL_COLUMNS

_NOTES = frozenset({"必填", "选填", "可选", "必填项", "required", "optional", "示例", "单选"})
_INDEX = frozenset({"序号", "行号", "顺序号", "行次", "no", "seq", "rowno", "lineno", "#"})
"""Folded headings of running numbers: they say nothing of the thing in the row, and change when rows are inserted."""
_OWNER = frozenset({"owner", "数据所有者", "所有者"})
_NAMED, _CLOSE, _HALF, _WEAK = 0.5, 0.8, 0.5, 0.6
_NOISE = re.compile(r"[\W_]+")
_BRACKET = re.compile(r"^(.+?)\s*[(\[{【〔《]([^()\[\]{}【】〔〕《》]*)[)\]}】〕》]$", re.DOTALL)
_TWO_LANGUAGES = re.compile(r"[\n/|]|(?<=[\u4e00-\u9fff])\s+(?=[A-Za-z])")
_LIKE, _SUGGESTED = 0.6, 3
_FILLED_IN = {("part", "issuer")}
"""Required fields that the loading organisation answers for where a sheet does not."""


@functools.cache
def fold(name: str) -> str:
    """A name without what does not matter in it: width, case, blanks, and punctuation if there is anything else."""
    narrow = unicodedata.normalize("NFKC", name).casefold()
    return _NOISE.sub("", narrow) or re.sub(r"\s", "", narrow)


def split_unit(name: str) -> tuple[str, str | None]:
    """A heading and the unit in brackets behind it; a bracket that says 必填 goes, one with anything else stays."""
    narrow = unicodedata.normalize("NFKC", name).strip(" *\t\r\n")
    found = _BRACKET.match(narrow)
    if not found:
        return narrow, None
    inside = found[2].strip().casefold()
    if inside in _NOTES:
        return split_unit(found[1])
    return (found[1], inside) if inside in units.KNOWN else (narrow, None)


_NAMES: dict[str, Mapping[str, Field]] = {}


def names_of(kind: Kind) -> Mapping[str, Field]:
    """The fields of a kind by every folded name; a test makes sure that no name means two fields of one kind."""
    if kind.name not in _NAMES:
        fields = [f for f in kind.fields.values() if f.name != "stub"]
        _NAMES[kind.name] = {fold(spelling): f for f in reversed(fields) for spelling in reversed(f.spellings)}
    return _NAMES[kind.name]


@functools.cache
def _personal() -> Mapping[str, Personal]:
    return {fold(name): what for name, what in PERSONAL_COLUMNS.items()}


def personal(heading: str) -> Personal | None:
    """What happens to a column of that name because it tells of persons; None for another."""
    return _personal().get(fold(split_unit(heading)[0]))


def sheet_kinds() -> list[Kind]:
    """The kinds that a sheet can be."""
    return [kind for kind in KINDS.values() if kind.sheet]


def recognised(heading: str) -> bool:
    """Is it the name of a column of any kind of sheet?"""
    known = any(_field(heading, kind)[0] for kind in sheet_kinds())
    return (
        known
        or personal(heading) is not None
        or _is_index(heading)
        or is_level(heading)
        or level_of(heading) is not None
    )


def is_level(heading: str) -> bool:
    """Does the column say how deep a line of a bill of materials stands?"""
    pieces = {fold(piece) for piece in _TWO_LANGUAGES.split(split_unit(heading)[0])} - {""}
    return bool(pieces) and pieces <= LEVEL


def level_of(heading: str) -> int | None:
    """The level whose parts a column of a bill of materials has (一级, 第2层, Level 3); None for another column."""
    found = LEVEL_COLUMN.match(fold(heading))
    if not found:
        return None
    written = (found[1] or found[2]).replace("〇", "零")
    return DIGITS.index(written) if written in DIGITS else int(written)


def _is_index(heading: str) -> bool:
    base, _ = split_unit(heading)
    pieces = {fold(piece) for piece in _TWO_LANGUAGES.split(base)} - {""}
    return bool(pieces) and pieces <= _INDEX


def _field(heading: str, kind: Kind) -> tuple[Field | None, str | None]:
    """The field that a heading names exactly, and the unit in the heading."""
    names = names_of(kind)
    base, unit = split_unit(heading)
    for name in (heading, base):
        if (found := names.get(fold(name))) is not None:
            return found, unit
    pieces = [names.get(fold(piece)) for piece in _TWO_LANGUAGES.split(base) if fold(piece)]
    first = pieces[0] if pieces else None
    agree = first is not None and all(piece is not None and piece.name == first.name for piece in pieces)
    return (first if agree else None), unit


@dataclass(frozen=True, slots=True)
class Column:
    """A column that names a field: its position in the sheet, its heading, and what the unit in the heading does."""

    position: str
    heading: str
    field: Field
    scale: units.Scale


@dataclass(frozen=True)
class Reading:
    """How a sheet reads as one kind. Mappings are from position to heading."""

    kind: Kind
    columns: tuple[Column, ...]
    missing: tuple[Field, ...]
    twice: tuple[tuple[str, str, Column], ...]
    """Position and heading of a column that means the same as the Column taken."""
    bad_units: tuple[tuple[str, Field, str], ...]
    """Heading, field, and a unit that does not go with it."""
    unmapped: Mapping[str, str]
    personal: Mapping[str, str]
    """Columns that tell of persons and are dropped."""
    owner: str | None
    """Position of the column that says whose each row is."""
    chosen: frozenset[str] = frozenset()
    """Positions of columns whose field somebody has chosen."""

    @property
    def share(self) -> float:
        """The share of the columns that are understood, index and personal columns not counted."""
        return len(self.columns) / max(
            1, len(self.columns) + len(self.twice) + len(self.bad_units) + len(self.unmapped)
        )

    def column(self, field: str) -> Column | None:
        """The column of a field, if the sheet has one."""
        return next((c for c in self.columns if c.field.name == field), None)

    def suggestions(self, heading: str) -> list[Field]:
        """Fields that have no column yet and a name like `heading`, the likest first; never applied."""
        taken = {column.field.name for column in self.columns}
        names = {name: f for name, f in names_of(self.kind).items() if f.name not in taken}
        close = difflib.get_close_matches(fold(split_unit(heading)[0]), names, n=_SUGGESTED, cutoff=_LIKE)
        return list({names[name].name: names[name] for name in close}.values())


def reading(header: Mapping[str, str], kind: Kind, columns: Mapping[str, str] | None = None) -> Reading:
    """`header` (headings by position) as a sheet of `kind`; `columns` are the fields that somebody chose, by position
    (an empty text for a column that is none). Columns of persons stay what they are, whatever was chosen.
    """
    asked = {p: f for p, f in (columns or {}).items() if p in header and (not f or (f in kind.fields and f != "stub"))}
    settled = set(asked.values())
    taken: dict[str, Column] = {}
    twice, bad_units = [], []
    unmapped: dict[str, str] = {}
    dropped: dict[str, str] = {}
    owner = None
    for position, heading in header.items():
        found, unit = _field(heading, kind)
        if position in asked:
            found, unit = kind.fields.get(asked[position]), split_unit(heading)[1]
        elif found is not None and found.name in settled:
            found = None
        if personal(heading) is Personal.DROP:
            dropped[position] = heading
        elif found is None and fold(heading) in _OWNER:
            owner = position
        elif found is None:
            if not _is_index(heading):
                unmapped[position] = heading
        elif found.name in taken:
            twice.append((position, heading, taken[found.name]))
        elif (scale := units.scale(unit, kind, found)) is None:
            bad_units.append((heading, found, unit or ""))
            unmapped[position] = heading
        else:
            taken[found.name] = Column(position, heading, found, scale)
    missing = tuple(
        f for f in kind.fields.values() if f.required and f.name not in taken and (kind.name, f.name) not in _FILLED_IN
    )
    return Reading(
        kind, tuple(taken.values()), missing, tuple(twice), tuple(bad_units), unmapped, dropped, owner,
        frozenset(asked),
    )  # fmt: skip


@dataclass(frozen=True)
class Detection:
    """The kind that a sheet is, or None with the closest ones; `by` says what settled it."""

    reading: Reading | None
    closest: tuple[Reading, ...]
    by: Literal["choice", "name", "columns", "nothing"] = "nothing"


@functools.cache
def _weight(heading: str) -> float:
    """What a heading says of the kind: 1 where only one kind has such a column, 1/k where k kinds have."""
    known = sum(_field(heading, kind)[0] is not None for kind in sheet_kinds())
    return 1 / known if known else 0.0


def _speaking(names: Iterable[str | None]) -> frozenset[str]:
    """The kinds that names of files and worksheets speak for."""
    text = " ".join(fold(name) for name in names if name)
    return frozenset(kind for kind, words in WORDS.items() if any(word in text for word in words))


def _scores(readings: Iterable[Reading], names: Iterable[str | None]) -> list[tuple[float, Reading]]:
    """Readings that have columns, with their weight: what the kinds' headings and the names say; the heaviest first."""
    named = _speaking(names)
    scored = [
        (sum(_weight(column.heading) for column in each.columns) + _NAMED * (each.kind.name in named), each)
        for each in readings
        if each.columns
    ]
    return sorted(scored, key=lambda pair: (-pair[0], len(pair[1].missing)))


def detect(
    header: Mapping[str, str],
    names: Iterable[str | None],
    chosen: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Detection:
    """The kind of a sheet: the one somebody chose, else that whose sheet name is one of `names` (of file or worksheet),
    else by its columns; `columns` as in `reading`.

    By columns it is the kind whose columns weigh most: a heading that k kinds have weighs 1/k, words in `names` that
    speak for a kind half as much as a heading that it alone has. It must have all columns that it needs, at least half
    of the sheet's columns must be understood, no other such kind may come near it, and no kind at all may weigh more
    (or as much, where all weigh little). Otherwise nothing is guessed.
    """
    names = list(names)
    if chosen is not None and (known := next((k for k in sheet_kinds() if k.name == chosen), None)):
        return Detection(reading(header, known, columns), (), "choice")
    for name in names:
        for kind in sheet_kinds():
            if name and fold(name) == fold(kind.sheet or ""):
                return Detection(reading(header, kind, columns), (), "name")
    scored = _scores((reading(header, kind) for kind in sheet_kinds()), names)
    able = [(score, each) for score, each in scored if not each.missing]
    closest = tuple(each for _, each in scored[:3])
    if not able:
        return Detection(None, closest)
    score, best = able[0]
    rivals = [s for s, each in able[1:] if s >= _CLOSE * score]
    lacking = [s for s, each in scored if each.missing and (s > score or (s == score and score < _WEAK))]
    if best.share < _HALF or rivals or lacking:
        return Detection(None, closest)
    return Detection(reading(header, best.kind, columns) if columns else best, (), "columns")
