"""The registry: a kind of node or edge is declared once, as a pydantic model, and everything else follows from it."""

from __future__ import annotations

import datetime as dt
import enum
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as PydanticField
from pydantic.fields import FieldInfo

from schema.text import Text

META = "chaingraph"
E = TypeVar("E", bound="Entity")


class Aspect(enum.StrEnum):
    """What an agreement may share of a fact."""

    IDENTITY = "identity"
    STRUCTURE = "structure"
    SUPPLY = "supply"
    RELIABILITY = "reliability"
    FAILURES = "failures"
    COST = "cost"


class Personal(enum.StrEnum):
    """What happens to personal data before anything is stored."""

    DROP = "drop"
    HASH = "hash"


class Vocabulary(enum.StrEnum):
    """A closed set of codes: `CODE = "code", "中文", "English", "synonym", ...`."""

    text: Text
    synonyms: tuple[str, ...]

    def __new__(cls, code: str, zh: str, en: str, *synonyms: str) -> Self:
        """A member from its code, its labels and the other ways to write it."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = Text(zh, en)
        member.synonyms = synonyms
        return member

    @classmethod
    def codes(cls) -> list[str]:
        """The codes, in the order of their declaration."""
        return [member.value for member in cls]

    @classmethod
    def spellings(cls) -> dict[str, str]:
        """Every way to write a member (code, both labels, synonyms) and its code."""
        return {s: m.value for m in cls for s in (m.value, m.text.zh, m.text.en, *m.synonyms)}


@dataclass(frozen=True, slots=True)
class Meta:
    """What `about` says of a field beyond what pydantic keeps."""

    zh: str
    en: str | None = None
    names: tuple[str, ...] = ()
    unit: str | None = None
    ref: str | None = None
    via: tuple[str, ...] = ()
    drawn: str | None = None
    aspect: Aspect | None = None
    personal: Personal | None = None
    indexed: bool = False
    codes: type[Vocabulary] | None = None
    own: bool = False


def about(
    description: str,
    *,
    zh: str,
    en: str | None = None,
    names: str = "",
    unit: str | None = None,
    ref: str | None = None,
    via: tuple[str, ...] = (),
    drawn: str | None = None,
    aspect: Aspect | None = None,
    personal: Personal | None = None,
    indexed: bool = False,
    codes: type[Vocabulary] | None = None,
    own: bool = False,
    **constraints: Any,
) -> Any:
    """Declare a field.

    `description` is its English meaning, `zh` and `en` its labels (English: from the name when not given), `names` the
    other names spreadsheets use for it, separated by semicolons; `ref` the kind whose natural key it holds, and
    `via` the fields of the same row that give the leading parts of that key when a sheet writes only its last part
    (a lot code, with the part and the maker in columns of their own); `drawn` the type of the relationship to that
    thing where a graph is shown to people, with `<` before it if it comes from there; `codes` the closed set of which
    a text holds several, separated by semicolons; `own` that nobody but the row's owner ever sees it, whatever is
    agreed. Constraints are pydantic's
    (`default`, `ge`, `gt`, `le`, `lt`, `max_length`, `examples`).
    """
    spellings = tuple(n for n in names.split(";") if n)
    meta = Meta(zh, en, spellings, unit, ref, via, drawn, aspect, personal, indexed, codes, own)
    return PydanticField(description=description, json_schema_extra={META: meta}, **constraints)  # type: ignore[dict-item]


@dataclass(frozen=True, slots=True)
class RowRule:
    """A condition on one row of a kind, said once for bulk rows (polars) and single rows (pydantic) alike.

    `bad` is true for a row that breaks it; a null is not bad.
    """

    code: str
    columns: tuple[str, ...]
    bad: Callable[[], pl.Expr]
    text: Text
    remedy: Text


class Entity(BaseModel):
    """A row of some kind. Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    ROW_RULES: ClassVar[tuple[RowRule, ...]] = ()

    @model_validator(mode="after")
    def _row_rules(self) -> Self:
        rules = type(self).ROW_RULES
        if rules:
            found = next((k for k in KINDS.values() if k.model is type(self)), None)
            if found is not None:
                values = {n: [getattr(self, n)] for n in type(self).model_fields}
                one = pl.DataFrame(values, schema=found.declared_schema)
                for rule in rules:
                    if one.select(rule.bad().fill_null(False)).item():
                        raise ValueError(f"{rule.code}: {rule.text.en}")
        return self


class Node(Entity):
    """A thing, as against a relation or a record. A stub is known only because somebody referred to it."""

    stub: bool = about(
        "Known only because somebody referred to it; nobody has described it yet.", zh="待补", default=False
    )


BASE: dict[str, pl.DataType] = {
    "key": pl.String(),
    "owner": pl.String(),
    "upload": pl.String(),
    "row": pl.Int64(),
    "extra": pl.String(),
}
"""The columns of every row: its key, who states it, in which upload and row it came, what had no column (JSON text)."""

_DTYPES: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    dt.date: pl.Date(),
    dt.datetime: pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Field:
    """A field of a kind, as read off its declaration."""

    name: str
    python_type: type[Any]
    required: bool
    default: Any
    description: str
    meta: Meta
    bounds: Mapping[str, float]
    max_length: int | None

    @property
    def label(self) -> Text:
        """What a person sees as the column's name, with its unit."""
        en = self.meta.en or self.name.replace("_", " ").capitalize()
        zh = self.meta.zh
        if self.meta.unit and not en.endswith((self.meta.unit, "days", "hours")):
            en = f"{en} ({self.meta.unit})"
        if self.meta.unit and self.meta.unit not in zh:
            zh = f"{zh}({self.meta.unit})"
        return Text(zh, en)

    @property
    def vocabulary(self) -> type[Vocabulary] | None:
        """The closed set its values are from, if it has one."""
        return self.python_type if issubclass(self.python_type, Vocabulary) else None

    @property
    def dtype(self) -> pl.DataType:
        """Its type as a column."""
        return pl.String() if self.vocabulary else _DTYPES[self.python_type]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name under which a spreadsheet may have it."""
        return (self.name, self.meta.zh, *([self.meta.en] if self.meta.en else []), *self.meta.names)


@dataclass(frozen=True)
class Relation:
    """How an edge kind reads in a graph: (:start)-[:LABEL]->(:end), by the fields that hold the two ends."""

    label: str
    start: str
    end: str


Sharing = Literal["agreed", "parties", "public"]
"""Who sees a row besides its owner and its parties: those an agreement says, nobody, everybody."""


@dataclass(frozen=True)
class Kind:
    """A kind of node or edge.

    `key` names the fields of the natural key; with `by_owner` the stored key ends in `@owner`, so that two firms
    can state the same thing differently; where those are `merged`, a view has one row for each natural key.
    `sheet` is the file name in a dataset folder (None: never uploaded). `sharing` says who sees a row besides its
    owner and the organisations in its fields `parties`; `subject` is the field with the part that a row is about.
    """

    name: str
    model: type[Entity]
    sheet: str | None
    text: Text
    plural: Text
    key: tuple[str, ...]
    by_owner: bool
    merged: bool
    relation: Relation | None
    aspect: Aspect
    fields: Mapping[str, Field] = field(repr=False)
    sharing: Sharing = "agreed"
    parties: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def is_node(self) -> bool:
        """True for a thing, false for a relation between two."""
        return self.relation is None

    @property
    def stubs(self) -> bool:
        """True when a reference to an unknown one makes a stub."""
        return "stub" in self.fields

    @property
    def description(self) -> str:
        """What it is, from its docstring."""
        return " ".join((self.model.__doc__ or "").split())

    @cached_property
    def declared_schema(self) -> dict[str, pl.DataType]:
        """Columns of the declared fields."""
        return {n: f.dtype for n, f in self.fields.items()}

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns of a stored row: the base columns, then the declared ones."""
        return {**BASE, **self.declared_schema}

    @cached_property
    def refs(self) -> dict[str, str]:
        """Fields that refer to other things, and the kinds they refer to."""
        return {n: f.meta.ref for n, f in self.fields.items() if f.meta.ref}

    @cached_property
    def label(self) -> str:
        """What its nodes are called in a graph: LifeRecord."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @cached_property
    def drawn(self) -> dict[str, tuple[str, bool]]:
        """Fields that are drawn as relationships: the type, and whether it leads from here to the thing referred to."""
        labels = {n: f.meta.drawn for n, f in self.fields.items() if f.meta.drawn}
        return {n: (label.removeprefix("<"), not label.startswith("<")) for n, label in labels.items()}

    def aspect_of(self, name: str) -> Aspect:
        """The aspect of sharing that a field belongs to."""
        return self.fields[name].meta.aspect or self.aspect

    def empty(self) -> pl.DataFrame:
        """No rows, all columns."""
        return pl.DataFrame(schema=self.schema)

    def frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with every column of the kind, in order and typed; missing ones are null or the declared default."""
        columns = []
        for name, dtype in self.schema.items():
            declared = self.fields.get(name)
            default = None if declared is None or declared.required else declared.default
            if name in rows.columns:
                column = pl.col(name).cast(dtype)
                columns.append(column if default is None else column.fill_null(pl.lit(default, dtype)))
            else:
                columns.append(pl.lit(default, dtype).alias(name))
        return rows.select(columns)

    def natural(self) -> pl.Expr:
        """The natural key of rows whose references are resolved (they hold natural keys of their targets)."""
        return pl.concat_str([atom(self.fields[n]) for n in self.key], separator="/")

    def stored_key(self) -> pl.Expr:
        """The key as stored, from the natural key's fields and the column `owner`."""
        natural = self.natural()
        return pl.concat_str([natural, escape(pl.col("owner"))], separator="@") if self.by_owner else natural

    def natural_of(self, key: str = "key") -> pl.Expr:
        """The natural key out of the stored one."""
        return pl.col(key).str.replace(r"@[^@]*$", "") if self.by_owner else pl.col(key)


def escape(text: pl.Expr) -> pl.Expr:
    """An atom of a key: `%`, `/` and `@` as %25, %2F and %40, null as nothing."""
    plain = text.fill_null("")
    for sign, code in (("%", "%25"), ("/", "%2F"), ("@", "%40")):
        plain = plain.str.replace_all(sign, code, literal=True)
    return plain


def escape_text(text: str | None) -> str:
    """`escape` for one text."""
    return (text or "").replace("%", "%25").replace("/", "%2F").replace("@", "%40")


def atom(of: Field) -> pl.Expr:
    """One field's part of a key: a reference as it is (it is a key), all else escaped."""
    column = pl.col(of.name)
    if of.meta.ref:
        return column.fill_null("")
    return escape(column if of.dtype == pl.String() else column.cast(pl.String))


KINDS: dict[str, Kind] = {}
"""Every kind by its name, in the order of declaration: things before what refers to them."""


def _field(name: str, info: FieldInfo) -> Field:
    extra = info.json_schema_extra
    meta = extra.get(META) if isinstance(extra, dict) else None
    if not isinstance(meta, Meta) or not info.description:
        raise TypeError(f"Field {name} is not declared with about(): it needs a description and a Chinese label.")
    annotation = info.annotation
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    kind_of = next(a for a in options if a is not type(None))
    bounds: dict[str, float] = {}
    length = None
    for constraint in info.metadata:
        for op in ("ge", "gt", "le", "lt"):
            limit = getattr(constraint, op, None)
            if limit is not None:
                bounds[op] = limit
        length = getattr(constraint, "max_length", length)
    default = None if info.is_required() else info.default
    return Field(name, kind_of, info.is_required(), default, info.description, meta, bounds, length)


def fields_of(model: type[Entity]) -> dict[str, Field]:
    """The fields of a model by name, as read off its declaration."""
    return {name: _field(name, info) for name, info in model.model_fields.items()}


def entity(
    name: str,
    *,
    sheet: str | None,
    zh: str,
    en: str,
    plural: str,
    key: tuple[str, ...],
    aspect: Aspect,
    by_owner: bool = False,
    merged: bool | None = None,
    relation: tuple[str, str, str] | None = None,
    sharing: Sharing = "agreed",
    parties: tuple[str, ...] = (),
    subject: str | None = None,
) -> Callable[[type[E]], type[E]]:
    """Register the decorated model as a kind; says at import what is missing in its declaration.

    `subject` is the first field that refers to a part where nothing is said.
    """

    def register(model: type[E]) -> type[E]:
        if not model.__doc__:
            raise TypeError(f"{model.__name__} says nothing of itself: write its docstring.")
        if name in KINDS:
            raise TypeError(f"The kind {name} is declared twice.")
        fields = fields_of(model)
        unknown = {f.meta.ref for f in fields.values() if f.meta.ref} - KINDS.keys() - {name}
        if unknown:
            raise TypeError(f"{model.__name__} refers to {unknown}, which is not declared before it.")
        if loose := [n for n, f in fields.items() if f.meta.drawn and (relation or not f.meta.ref)]:
            raise TypeError(f"{model.__name__} draws {loose}: only references of things and records are drawn.")
        if missing := [n for n in (*key, *parties, *(relation or ())[1:]) if n not in fields]:
            raise TypeError(f"{model.__name__} has no field {missing}.")
        drawn = Relation(*relation) if relation else None
        KINDS[name] = Kind(
            name,
            model,
            sheet,
            Text(zh, en),
            Text(zh, plural),
            key,
            by_owner,
            by_owner if merged is None else merged,
            drawn,
            aspect,
            fields,
            sharing,
            parties,
            subject
            or ("key" if name == "part" else next((n for n, f in fields.items() if f.meta.ref == "part"), None)),
        )
        return model

    return register


def kind(name: str) -> Kind:
    """The kind of that name; raises KeyError for another."""
    return KINDS[name]


def relations_to(target: str) -> Iterator[tuple[Kind, str]]:
    """The (kind, field) pairs that refer to things of kind `target`: what a list of 'where is it used' walks."""
    for each in KINDS.values():
        for name, ref in each.refs.items():
            if ref == target:
                yield each, name


Severity = Literal["error", "warning", "info"]
