"""What a load found and did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from ingest.codes import CODES
from ingest.personal import masked_text
from schema.core import Severity
from schema.text import Text

SHOWN = 100
"""Rows that a report lists of one code in one column of one file, where nothing else is asked for."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""The gravest first."""
_VALUE = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know or to correct: where (file, row as a spreadsheet counts, column, value), what, and the remedy.

    `more` further rows of the same column are like it.
    """

    severity: Severity
    code: str
    text: Text
    remedy: Text
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    more: int = 0

    def to_row(self, locale: str) -> dict[str, str | int | None]:
        """As a row of a table, its texts in one language."""
        text = self.text.say(locale)
        if self.more:
            text += f"（另有 {self.more} 行）" if locale.lower().startswith("zh") else f" ({self.more} more rows)"
        return {
            "severity": self.severity, "code": self.code, "file": self.file, "row": self.row, "column": self.column,
            "value": self.value, "text": text, "remedy": self.remedy.say(locale),
        }  # fmt: skip


def finding(
    code: str,
    *,
    file: str | None = None,
    row: int | None = None,
    column: str | None = None,
    value: object = None,
    more: int = 0,
    **values: object,
) -> Finding:
    """The finding of a code, its texts filled in from `values` (a Text among them says itself in either language)."""
    known = CODES[code]
    shown = _shown(None if value is None else str(value))
    return Finding(
        known.severity, code, _filled(known.text, values), _filled(known.remedy, values), file, row, column, shown, more
    )


def _shown(value: str | None) -> str | None:
    """A cell as it may be shown: reports go further than the file did."""
    return None if value is None else masked_text(value[:_VALUE])


def _filled(text: Text, values: dict[str, object]) -> Text:
    zh = {k: v.zh if isinstance(v, Text) else v for k, v in values.items()}
    en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
    return Text(text.zh.format(**zh), text.en.format(**en))


@dataclass
class Counts:
    """Rows of a sheet: those read are new, changed, same, refused or raw (kept without a kind); an undo removes.

    `contradicting` of the new and changed ones say something else than another owner that the loader sees.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    raw: int = 0
    removed: int = 0
    contradicting: int = 0


@dataclass(frozen=True, slots=True)
class Alike:
    """Findings that say the same of one column: the first of them, their rows, their values, and how many there are."""

    first: Finding
    rows: tuple[int, ...]
    values: tuple[str, ...]
    count: int


@dataclass
class Report:
    """The findings of a load, the counts of each sheet, and the uploads made (`upload` id by file)."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[tuple[str, str | None], Counts] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    taken: bool = True
    """False when `--strict` took nothing."""
    load: str | None = None
    """The number of the load; None when nothing was there to take."""
    revision: int | None = None
    """The newest revision that the load made; None when it made none."""
    shown: int = SHOWN
    """Of one code in one column of one file so many rows are listed; the rest are counted."""

    def add(self, *findings: Finding) -> None:
        """Take findings in."""
        self.findings.extend(findings)

    def add_rows(
        self, code: str, rows: pl.DataFrame, *, file: str, column: str | None = None, **values: object
    ) -> None:
        """A finding for each of `rows` (`row`, `value`); their further columns, and `values`, fill in the texts."""
        known = CODES[code]
        names = [name for name in rows.columns if name not in {"row", "value"}]
        if not names:
            worded = _filled(known.text, values), _filled(known.remedy, values)
            self.add_worded(code, known.severity, *worded, rows, file=file, column=column)
            return
        rest = max(0, rows.height - self.shown)
        for i, cells in enumerate(rows.head(self.shown).iter_rows(named=True), 1):
            row, value = cells.pop("row"), cells.pop("value", None)
            more = rest if i == self.shown else 0
            self.add(finding(code, file=file, row=row, column=column, value=value, more=more, **values, **cells))

    def add_worded(
        self,
        code: str,
        severity: Severity,
        text: Text,
        remedy: Text,
        rows: pl.DataFrame,
        *,
        file: str,
        column: str | None,
    ) -> None:
        """A finding for each of `rows` (`row`, `value`), all worded alike; those beyond SHOWN are counted."""
        rest = max(0, rows.height - self.shown)
        values = rows["value"].cast(pl.String) if "value" in rows.columns else pl.repeat(None, rows.height, eager=True)
        for i, (row, value) in enumerate(zip(rows["row"].head(self.shown), values.head(self.shown), strict=True), 1):
            more = rest if i == self.shown else 0
            self.add(Finding(severity, code, text, remedy, file, row, column, _shown(value), more))

    def take_nothing(self) -> None:
        """Say that `--strict` took nothing: no row of any sheet is new or changed."""
        self.taken = False
        self.uploads.clear()
        for each in self.counts.values():
            each.refused += each.new + each.changed + each.raw
            each.new = each.changed = each.raw = each.removed = 0

    def count(self, file: str, kind: str | None) -> Counts:
        """The counts of a sheet, made when first asked for."""
        return self.counts.setdefault((file, kind), Counts())

    @property
    def total(self) -> Counts:
        """The sum of all counts."""
        total = Counts()
        for each in self.counts.values():
            for name, number in vars(each).items():
                setattr(total, name, getattr(total, name) + number)
        return total

    @property
    def severities(self) -> dict[Severity, int]:
        """How many findings of each severity, the rows not listed included."""
        counter: Counter[Severity] = Counter()
        for each in self.findings:
            counter[each.severity] += 1 + each.more
        return dict(counter)

    @property
    def refused(self) -> bool:
        """Was any file, sheet, column or row refused?"""
        return any(each.severity == "error" for each in self.findings)

    def gathered(self) -> list[Alike]:
        """Findings that say the same of one column as one, the gravest first, then as they came."""
        alike: dict[tuple[object, ...], list[Finding]] = {}
        for each in sorted(self.findings, key=lambda f: SEVERITIES.index(f.severity)):
            slot = (each.severity, each.code, each.file, each.column, each.text, each.remedy)
            alike.setdefault(slot, []).append(each)
        return [
            Alike(
                found[0],
                tuple(each.row for each in found if each.row is not None),
                tuple(dict.fromkeys(each.value for each in found if each.value is not None)),
                sum(1 + each.more for each in found),
            )
            for found in alike.values()
        ]

    def to_rows(self, locale: str) -> list[dict[str, str | int | None]]:
        """The findings as rows of a table, the gravest first, then as they came."""
        return [each.to_row(locale) for each in sorted(self.findings, key=lambda f: SEVERITIES.index(f.severity))]

    def count_rows(self) -> list[dict[str, str | int | None]]:
        """The counts as rows of a table, in the order of loading."""
        return [{"file": file, "kind": kind, **vars(counts)} for (file, kind), counts in self.counts.items()]

    def to_json(self, locale: str) -> dict[str, object]:
        """The whole report for programs."""
        return {
            "dry_run": self.dry_run,
            "taken": self.taken,
            "revision": self.revision,
            "load": self.load,
            "uploads": self.uploads,
            "total": vars(self.total),
            "counts": self.count_rows(),
            "findings": self.to_rows(locale),
        }
