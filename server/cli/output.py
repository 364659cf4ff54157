"""Answers on standard output: tables that align with Chinese in them, JSON, and CSV that no spreadsheet executes."""

from __future__ import annotations

import csv as csv_format
import io
import json as json_format
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120
"""Columns of a table that does not go to a terminal."""

LONG, SHORT = 72, 32
"""A text wider than LONG is a sentence; beside sentences no text wider than SHORT stays in the line."""
GAP, INDENT = 2, 4
BETWEEN = 3
"""What stands between the columns of a grid."""

FORMULA = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
"""A text that a spreadsheet takes for a formula, unless it is a NUMBER."""
NUMBER = r"^[+-]?[0-9.,]*$"


_formula, _number = re.compile(FORMULA), re.compile(NUMBER)
_interval = re.compile(r" (?=\([\d.,-]+ ?– ?[\d.,-]+\))")
"""The blank between a figure and its interval: where a line may break."""


def json(payload: Any) -> None:
    """JSON, in characters where standard output can say them all, else with escapes."""
    plain = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    line(json_format.dumps(payload, ensure_ascii=not plain, indent=2, allow_nan=False))


def csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """CSV with a heading; nothing in it starts a formula."""
    line(csv_text(headings, rows).rstrip("\n"))


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, lines ended by a newline."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow([safe(h) for h in headings])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that would be one gets an apostrophe before it."""
    return "'" + cell if isinstance(cell, str) and _formula.match(cell) and not _number.match(cell) else cell


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table for people; columns of numbers are aligned to the right.

    Where sentences would have less than half of the width, the texts of a row stand below its figures.
    """
    from rich.cells import cell_len

    cells = [[shown(cell) for cell in row] for row in rows]
    numbers = [
        bool(cells) and all(row[at] is None or _is_number(row[at]) for row in rows) for at in range(len(headings))
    ]
    widths = [max(map(cell_len, [heading, *(row[at] for row in cells)])) for at, heading in enumerate(headings)]
    to = console()
    if title:
        to.print(title, style="bold")
    others = sum(width + GAP for width in sorted(widths)[:-1])
    if max(widths, default=0) > LONG and others > to.width / 2:
        _stacked(to, headings, cells, numbers, widths)
    else:
        _grid(to, headings, cells, numbers)


def _grid(to: Console, headings: Sequence[str], cells: list[list[str]], numbers: list[bool]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    if sum(_whole(headings, cells)) + BETWEEN * (len(headings) - 1) > to.width:
        cells = [[_interval.sub("\n", cell) for cell in row] for row in cells]
    widths = _widths(headings, cells, numbers, to.width)
    for heading, right, width in zip(headings, numbers, widths, strict=True):
        drawn.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=right, width=width)
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    with to.capture() as held:
        to.print(drawn)
    for each in held.get().splitlines():
        line(each.rstrip())


def _widths(headings: Sequence[str], cells: list[list[str]], numbers: list[bool], room: int) -> list[int] | list[None]:
    """Widths of columns in which no word is broken, the room beyond shared evenly; left to rich where there is none."""
    from rich.cells import cell_len

    whole = _whole(headings, cells)
    columns = [[heading, *(row[at] for row in cells)] for at, heading in enumerate(headings)]
    words = [max([0, *(cell_len(word) for cell in column for word in cell.split())]) for column in columns]
    widths = [full if number else word for full, word, number in zip(whole, words, numbers, strict=True)]
    left = room - sum(widths) - BETWEEN * (len(widths) - 1)
    if left < 0:
        return [None] * len(widths)
    wanting = sorted(range(len(widths)), key=lambda at: whole[at] - widths[at])
    for place, at in enumerate(wanting):
        more = min(whole[at] - widths[at], left // (len(wanting) - place))
        widths[at] += more
        left -= more
    return widths


def _whole(headings: Sequence[str], cells: list[list[str]]) -> list[int]:
    """Widths of columns in which no line is broken."""
    from rich.cells import cell_len

    return [
        max(cell_len(line) for cell in (heading, *(row[at] for row in cells)) for line in cell.split("\n"))
        for at, heading in enumerate(headings)
    ]


def _stacked(
    to: Console, headings: Sequence[str], cells: list[list[str]], numbers: list[bool], widths: list[int]
) -> None:
    from rich.text import Text

    short = [at for at, width in enumerate(widths) if width <= SHORT]

    def line_of(row: Sequence[str]) -> Text:
        return Text((" " * GAP).join(_filled(row[at], widths[at], right=numbers[at]) for at in short).rstrip())

    to.print(line_of(headings), style="bold")
    to.print("─" * min(to.width, sum(widths[at] + GAP for at in short) - GAP))
    for row in cells:
        to.print(line_of(row), overflow="fold")
        long = [row[at] for at, width in enumerate(widths) if width > SHORT and row[at]]
        for at, cell in enumerate(long):
            style = "bold" if at == 0 and len(long) > 1 else ""
            for wrapped in Text(cell, style).wrap(to, to.width - INDENT):
                wrapped.rstrip()
                to.print(Text(" " * INDENT) + wrapped)


def _filled(cell: str, width: int, *, right: bool) -> str:
    from rich.cells import cell_len

    blanks = " " * (width - cell_len(cell))
    return blanks + cell if right else cell + blanks


def shown(cell: Any) -> str:
    """A cell as a person reads it: four significant digits, lists joined, nothing for what is unknown."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if 1e4 <= abs(cell) < 1e12 else f"{cell:.4g}"
    if isinstance(cell, list | tuple):
        return ", ".join(shown(each) for each in cell)
    return str(cell)


def line(text: str = "") -> None:
    """A line of plain text."""
    sys.stdout.write(text + "\n")


def flush() -> None:
    """Let what was written so far be seen."""
    sys.stdout.flush()


def console(*, error: bool = False) -> Console:
    """Standard output (or error) for rich: as wide as the terminal, WIDTH columns elsewhere."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH, highlight=False, markup=False)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
