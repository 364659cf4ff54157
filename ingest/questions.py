"""What a sheet leaves open and its reader must not guess: asked once, with the cells in doubt.

What the cells themselves settle is not asked but said: a column with `25/3/2025` has its days first, one in which every
age is written `500h` is in hours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ingest import cleaning, doubts, forms, headers, units
from ingest.beside import Beside
from ingest.decisions import KIND, Option, Question, SheetDecisions
from ingest.headers import Column, Detection, Reading
from ingest.personal import masked_text
from ingest.reading import Table
from ingest.report import Finding, finding
from schema.text import Text
from schema.vocabularies import Event

EVENT = "event"
"""How all rows of a sheet of ages ended, where it does not say."""
VALUE = "value:"
"""Beginning of the questions for the one value of a field that the sheet has no column for."""
EVERYWHERE = ("part", "maker", "supplier", "customer")
"""Required fields that may have one value for a whole sheet."""
EXCEL, NONE = "excel", "none"

_EXAMPLES = 5
_KINDS = 4
_SETTLED = 2
"""Columns that a sheet must have of a kind to be asked whether it is that."""
_SERIAL = r"^[2-7]\d{4}(?:\.\d+)?$"
"""Day numbers of workbooks, of the years 1954 to 2119."""
_AGES = {"life_record": "age", "reliability_test": "duration", "declared_value": "value"}
_AGE_UNITS = {
    "h": Text("小时", "hours"),
    "km": Text("公里", "kilometres"),
    "万公里": Text("万公里", "10,000 kilometres"),
    "cycles": Text("次", "cycles"),
    "months": Text("月", "months"),
    "years": Text("年", "years"),
}
_RATES = ("1/h", "FIT", "fpmh", "%/1000h")
_MEANS = ("h", "km", "cycles")

_EVENT = Text(
    "没有说明每台是失效还是仍在用的列。这些行都是：",
    "No column says whether units failed or are still alive. All rows are:",
)
_KIND = Text("这张表可能是几种表之一。它是：", "The sheet could be of several kinds. It is:")
_UNIT = Text("“{heading}”的单位是：", "The unit of {heading} is:")
_DATES = Text(
    "“{heading}”中的日期可以有几种读法。年、月、日的顺序是：",
    "Days in {heading} can be read in several ways. They are:",
)
_ORDERS = {
    "ymd": Text("年-月-日", "year, month, day"),
    "dmy": Text("日-月-年", "day, month, year"),
    "mdy": Text("月-日-年", "month, day, year"),
    NONE: Text("都不是，这些行不采用", "none of these; such rows are refused"),
}
_SERIALS = Text(
    "“{heading}”中的数是电子表格的日期序号吗？（{number} 即 {day}）",
    "Are the numbers in {heading} the day numbers of a spreadsheet ({number} is {day})?",
)
_IS_SERIAL = {
    EXCEL: Text("是", "Yes"),
    NONE: Text("不是，这些行不采用", "No; such rows are refused"),
}
_VALUE = Text("没有“{label}”列。所有行的{label}是：", "There is no column {label}. For all rows it is:")


@dataclass(frozen=True)
class Asked:
    """What is asked about a sheet, the answers in force (given, or settled by the cells), and what is said of it."""

    questions: tuple[Question, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def asked_about(table: Table, found: Detection, decided: SheetDecisions, beside: Beside) -> Asked:
    """What is asked about a sheet that is taken for what `found` says, with the answers that were given.

    An answer that its question does not take is none.
    """
    read = found.reading
    if not table.cells.height:
        return Asked()
    if read is None:
        return Asked(tuple(_kind(table.header)))
    asking = _Asking(table, read, decided, beside)
    asking.values()
    asking.event()
    asking.unit()
    asking.dates()
    for question in doubts.of(table, read, beside, asking.answers):
        asking.ask(question)
    return Asked(tuple(asking.questions), asking.answers, tuple(asking.findings))


def examples(cells: pl.Series) -> tuple[str, ...]:
    """Some cells as they may be shown."""
    some = cells.drop_nulls().unique(maintain_order=True).head(_EXAMPLES).to_list()
    return tuple(masked_text(each[:80]) for each in some)


def _kind(header: Mapping[str, str]) -> list[Question]:
    """Which kind a sheet is that could be several, or that has few columns of the only one that it could be.

    Kinds that lack no column, or only such as may have one value for the whole sheet. Unanswered, rows are kept as
    they are.
    """
    able = [
        read
        for read in (headers.reading(header, each) for each in headers.sheet_kinds())
        if len(read.columns) >= _SETTLED and all(f.name in EVERYWHERE for f in read.missing)
    ]
    able.sort(key=lambda read: (len(read.missing), -len(read.columns)))
    options = tuple(Option(read.kind.name, read.kind.text) for read in able[:_KINDS])
    return [Question(KIND, _KIND, options, required=False)] if options else []


class _Asking:
    """The questions about one sheet as they come up."""

    def __init__(self, table: Table, read: Reading, decided: SheetDecisions, beside: Beside) -> None:
        self.table, self.read, self.decided, self.beside = table, read, decided, beside
        self.questions: list[Question] = []
        self.answers: dict[str, str] = {}
        self.findings: list[Finding] = []

    def ask(self, question: Question) -> None:
        """Ask, with the answer that was given if it is one."""
        answer = self.decided.answers.get(question.id)
        if question.free and answer is not None and masked_text(answer) != answer:
            answer = None  # it tells of a person
        if question.takes(answer) and answer is not None:
            self.answers[question.id] = answer
        else:
            answer = None
        self.questions.append(
            Question(
                question.id, question.text, question.options, question.column, question.examples, question.required,
                answer, question.free,
            )
        )  # fmt: skip

    def values(self) -> None:
        """The one value of a required field that the sheet has no column for."""
        for each in self.read.missing:
            if each.name not in EVERYWHERE:
                continue
            by = self.beside.by
            if each.name == "part":
                options = [
                    Option(key, Text(f"{name}（{key}）", f"{name} ({key})")) for key, name in self.beside.own_parts()
                ]
            elif each.name == "customer":
                options = [Option(key, Text(key, key)) for key in self.beside.customers()]
            else:
                options = [Option(by, Text(by, by))] if by and not self.beside.administrator else []
            said = Text(_VALUE.zh.format(label=each.label.zh), _VALUE.en.format(label=each.label.en))
            self.ask(Question(VALUE + each.name, said, tuple(options), free=True))

    def event(self) -> None:
        """How all rows of a sheet of ages ended."""
        if forms.lacks_event(self.read):
            options = tuple(Option(each.value, each.text) for each in (Event.FAILURE, Event.SUSPENSION))
            age = self.read.column("age")
            shown = examples(self.table.cells[age.position]) if age else ()
            self.ask(Question(EVENT, _EVENT, options, examples=shown))

    def unit(self) -> None:
        """The unit of a column of ages, durations or declared values that nothing says.

        A heading that is the field's own name (`age`) is read as the data dictionary has it: the part's own unit, or
        hours.
        """
        column = self.read.column(_AGES.get(self.read.kind.name, ""))
        if (
            column is None
            or column.heading == column.field.name
            or column.scale.unit
            or "unit" in forms.implied(self.read)
        ):
            return
        said = self.read.column("unit")
        if (
            said is not None
            and cleaning.without_dashes(self.table.cells[said.position]).null_count() < self.table.cells.height
        ):
            return
        cells = cleaning.without_dashes(self.table.cells[column.position]).drop_nulls()
        if not len(cells):
            return
        id_ = f"unit:{column.position}"
        if self._settled_by_cells(id_, column, cells) or self._settled_by_parts():
            return
        allowed = self._units()
        if not allowed:
            return
        text = Text(_UNIT.zh.format(heading=column.heading), _UNIT.en.format(heading=column.heading))
        options = tuple(Option(each, _AGE_UNITS.get(each, Text(each, each))) for each in allowed)
        self.ask(Question(id_, text, options, column.heading, examples(cells)))

    def _units(self) -> Sequence[str]:
        """Units that the column could be in; of declared values those that go with all of their metrics."""
        if self.read.kind.name == "life_record":
            return list(_AGE_UNITS)
        if self.read.kind.name == "reliability_test":
            return _MEANS
        metrics = doubts.metrics(self.table, self.read)
        return _RATES if metrics == {True} else _MEANS if metrics == {False} else ()

    def _settled_by_cells(self, id_: str, column: Column, cells: pl.Series) -> bool:
        plain = cells.cast(pl.Float64, strict=False)
        if plain.null_count() < len(plain):
            return False
        found = units.of_cells(cells.unique().to_list())
        (unit,) = found if len(found) == 1 else (None,)
        if unit not in self._units():
            return False
        self.answers[id_] = str(unit)
        self.findings.append(
            finding("column.unit_settled", file=self.table.name, column=column.heading, value=cells[0], unit=unit)
        )
        return True

    def _settled_by_parts(self) -> bool:
        """Whether the part of every row has a unit of its own; of life records only."""
        if self.read.kind.name != "life_record":
            return False
        column, answer = self.read.column("part"), self.answers.get(VALUE + "part")
        if column is None and answer is None:
            return False
        written = self.table.cells[column.position] if column is not None else pl.Series([answer])
        parts = self.beside.parts(written)
        return bool(parts.height) and parts["age_unit"].null_count() == 0

    def dates(self) -> None:
        """The order of year, month and day, and day numbers, of columns of days."""
        for column in self.read.columns:
            if column.field.python_type not in {dt.date, dt.datetime}:
                continue
            cells = cleaning.without_dashes(self.table.cells[column.position].unique(maintain_order=True)).drop_nulls()
            odd = cells.filter(forms.days(column.field, cells, excel=self.table.excel).failed)
            if len(odd):
                self._order(column, odd)
                self._serials(column, odd)

    def _order(self, column: Column, odd: pl.Series) -> None:
        plain = cleaning.tidy_days(odd)
        short = plain.filter(cleaning.short_days(plain))
        if not len(short):
            return
        read = {order: cleaning.in_order(short, order) for order in cleaning.ORDERS}
        able = [order for order, days in read.items() if days.null_count() == 0]
        id_ = f"dates:{column.position}"
        if len(able) == 1:
            self.answers[id_] = able[0]
            only = pl.Series([True] * len(short))
            for order in cleaning.ORDERS:
                if order != able[0]:
                    only &= read[order].is_null()
            shown = masked_text((short.filter(only) if only.any() else short)[0])
            self.findings.append(
                finding(
                    "column.dates_settled", file=self.table.name, column=column.heading, value=shown,
                    order=_ORDERS[able[0]],
                )
            )  # fmt: skip
        elif able:
            text = Text(_DATES.zh.format(heading=column.heading), _DATES.en.format(heading=column.heading))
            options = tuple(Option(each, self._as_days(each, read)) for each in (*able, NONE))
            self.ask(Question(id_, text, options, column.heading, examples(short)))

    def _as_days(self, order: str, read: Mapping[str, pl.Series]) -> Text:
        said = _ORDERS[order]
        if order not in read:
            return said
        day = read[order][0]
        return Text(f"{said.zh}（{day}）", f"{said.en} ({day})")

    def _serials(self, column: Column, odd: pl.Series) -> None:
        if self.table.excel:
            return
        numbers = odd.filter(odd.str.contains(_SERIAL).fill_null(value=False))
        if not len(numbers):
            return
        day = cleaning.dates(numbers, excel=True).values[0]
        said = {"heading": column.heading, "number": numbers[0], "day": day}
        text = Text(_SERIALS.zh.format(**said), _SERIALS.en.format(**said))
        options = tuple(Option(value, each) for value, each in _IS_SERIAL.items())
        self.ask(Question(f"serials:{column.position}", text, options, column.heading, examples(numbers)))
