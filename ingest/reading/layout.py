"""From the cells of a sheet to its tables: where each begins, its header, and which of its rows are no records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from . import heads
from .heads import Known, Merge
from .table import ROW, Note, Table, letter

_GAPS = 2_000
"""So many blank stretches of a sheet are looked at for a new table below them."""
_TITLES = 3
"""A header stands within so many rows below a blank one."""
_TAIL = 15
_TOTAL_WITHIN = 4
_TOTAL = (
    r"(?i)^\s*(?:本页|本月|本年|本期|当月|全年)?\s*"
    r"(?:合\s*计|小\s*计|总\s*计|累\s*计|共\s*计|汇\s*总|(?:grand\s*|sub[\s-]*)?total|sum)\s*[:：]?\s*$"
)
_NUMERIC = r"^[\s\d.,%+\-/()—–¥$￥eE]*$"
_SIGNED = (
    "制表|编制|填表|填报|审核|审批|批准|复核|校对|签字|签名|盖章|经办|主管|负责人|备注|说明|附注|注|打印|导出|日期|联系|第"
    "|note|remark|prepared|approved|checked|reviewed|printed|signature|page"
)
_SENTENCE = re.compile(r"[:：]|^(?=.*[\u3400-\u9fff\s]).{12,}", re.DOTALL)
"""What stands alone in a row and is no code: a label, or some words."""
_FOOTER = re.compile(rf"(?i)^\s*({_SIGNED})[^:：]{{0,8}}(?:[:：]|页)|^\s*({_SIGNED})\s*(?:人|者|员|by)?\s*$")


def tables(frame: pl.DataFrame, recognised: Callable[[str], bool], file: str, said: Mapping[str, Any]) -> list[Table]:
    """The tables of a sheet, from its cells (as the child process wrote them) and what it said of it; none when blank.

    Only the first rows, those below blank ones and the last ones are looked at one by one.
    """
    known = Known(recognised)
    sheet, encoding = said.get("sheet"), said.get("encoding")
    excel = bool(said.get("excel", encoding is None))
    if said.get("headed"):
        names = [(name or "").strip() or None for name in frame.drop(ROW).row(0)]
        return [_table(frame, heads.Header(names, 0, 0), file, sheet, encoding, excel, ())]
    merges: list[Merge] = [(m[0], m[1], m[2], m[3]) for m in said.get("merges", ())]
    frame = _without_blank_rows(frame)
    hidden = {str(column) for column in said.get("hidden_columns", ())}
    unseen = [c for c in frame.columns if c in hidden and not _all_blank(frame[c])]
    seen = _without_blank_rows(frame.drop(unseen)) if unseen else frame
    if unseen and not seen.height:  # hidden as a whole: then hiding says nothing
        unseen, seen = [], frame
    found = []
    for block in _blocks(seen, known):
        for piece in _beside(block, known):
            table = _headed(piece, merges, known, file, sheet, encoding, excel)
            found.append(table)
    if found and unseen:
        found[0] = _noted(found[0], [_unused(frame, c, found[0]) for c in unseen])
    if found and said.get("hidden_rows"):
        rows = pl.DataFrame({ROW: [said.get("hidden_row")], "value": [None]}, {ROW: pl.Int64, "value": pl.String})
        found[0] = _noted(found[0], [Note("row.hidden", rows, values={"count": said["hidden_rows"]})])
    return found


def _noted(table: Table, notes: Iterable[Note]) -> Table:
    return Table(**{**vars(table), "notes": (*table.notes, *notes)})


def _unused(frame: pl.DataFrame, column: str, table: Table) -> Note:
    """The note of a hidden column, by its heading if it has one in the row of the header or above it."""
    near = frame.filter(pl.col(ROW).is_between(table.header_row - 1, table.header_row))[column]
    heading = next((cell.strip() for cell in reversed(near.to_list()) if cell and cell.strip()), "")
    rows = pl.DataFrame({ROW: [table.header_row], "value": [None]}, {ROW: pl.Int64, "value": pl.String})
    return Note("column.hidden", rows, heading or letter(int(column)), {"letter": letter(int(column))})


def _blocks(frame: pl.DataFrame, known: Known) -> list[pl.DataFrame]:
    """The frame cut above each new header that stands below blank rows; a header that repeats is none."""
    if not frame.height:
        return []
    numbers = frame[ROW].to_numpy()
    gaps = (np.flatnonzero(np.diff(numbers) > 1) + 1)[:_GAPS]
    if not len(gaps):
        return [frame]
    cells = frame.drop(ROW)
    top = next((line for line in cells.head(heads.WITHIN).head(int(gaps[0])).iter_rows() if known.heads(line)), None)
    starts = [0]
    for gap in gaps:
        if gap < starts[-1] + 1:
            continue
        for i in range(int(gap), min(int(gap) + _TITLES, frame.height)):
            if i > gap and numbers[i] != numbers[i - 1] + 1:
                break
            line = cells.row(i)
            if known.begins(line):
                if top is not None and line != top:
                    starts.append(int(gap))
                top = line
                break
    ends = [*starts[1:], frame.height]
    return [frame.slice(a, b - a) for a, b in zip(starts, ends, strict=True)]


def _beside(block: pl.DataFrame, known: Known) -> list[pl.DataFrame]:
    """The tables side by side with an empty column between: their headings repeat, or their rows end apart."""
    columns = [c for c in block.columns if c != ROW]
    groups: list[list[str]] = [[]]
    top = block.head(100)
    for column in columns:
        if _all_blank(top[column]) and _all_blank(block[column]):
            groups.append([])
        else:
            groups[-1].append(column)
    groups = [group for group in groups if group]
    if len(groups) < 2:
        return [block]
    merged: list[list[str]] = []
    found: list[tuple[int, list[str | None]]] = []
    for group in groups:
        lines = block.select(group).head(heads.WITHIN).rows()
        at = next((i for i, line in enumerate(lines) if known.heads(line)), None)
        if at is None and merged:
            merged[-1] += group
        elif at is not None:
            merged.append(group)
            found.append((at, [c.strip() for c in lines[at] if c and c.strip()]))
        else:
            return [block]
    if len(merged) < 2 or not _apart(block, merged, found):
        return [block]
    return [_without_blank_rows(block.select(*group, ROW)) for group in merged]


def _apart(block: pl.DataFrame, groups: list[list[str]], found: list[tuple[int, list[str | None]]]) -> bool:
    headings = [name for _, names in found for name in set(names)]
    if len(set(headings)) < len(headings) or len({at for at, _ in found}) > 1:
        return True
    body = block.slice(found[0][0])
    extents = []
    for group in groups:
        filled = body.select(pl.any_horizontal(~_blank(c) for c in group)).to_series()
        last = filled.arg_true().max()
        extents.append((int(last) if isinstance(last, int) else -1, filled.sum()))
    return len({last for last, _ in extents}) > 1 and all(count == last + 1 for last, count in extents)


def _headed(
    frame: pl.DataFrame,
    merges: list[Merge],
    known: Known,
    file: str,
    sheet: str | None,
    encoding: str | None,
    excel: bool,
) -> Table:
    top = frame.head(heads.WITHIN)
    columns = [c for c in frame.columns if c != ROW]
    lines = top.select(columns).rows()
    head = heads.find(lines, top[ROW].to_list(), [int(c) for c in columns], merges, known)
    body, notes = frame.slice(head.last + 1), []
    body, again = _without_repeats(body, columns, lines[: head.last + 1], head.first)
    if again.height:
        notes.append(Note("row.header_again", again))
    named = [c for c, name in zip(columns, head.names, strict=True) if name]
    body, footers = _without_footers(body, columns, len(named))
    if footers.height:
        notes.append(Note("row.footer", footers))
    body, totals = _without_totals(body, columns, named)
    if totals.height:
        notes.append(Note("row.total", totals))
    body = _filled_down(body, [m for m in merges if m[2] > m[0] > int(top[ROW][head.last])])
    whole = pl.concat([frame.slice(head.last, 1), body])
    return _table(whole, heads.Header(head.names, 0, 0), file, sheet, encoding, excel, tuple(notes))


def _table(
    frame: pl.DataFrame, head: heads.Header, file: str, sheet: str | None, encoding: str | None, excel: bool,
    notes: tuple[Note, ...],
) -> Table:  # fmt: skip
    """The table whose header is the first row of `frame`."""
    cells = frame.slice(1)
    columns = [c for c in frame.columns if c != ROW]
    header, beyond = {}, []
    last = max((i for i, name in enumerate(head.names) if name), default=-1)
    for i, (column, name) in enumerate(zip(columns, head.names, strict=True)):
        if name:
            header[column] = name
        elif cells[column].null_count() < cells.height:
            if i < last:
                header[column] = f"#{int(column) + 1}"
            else:
                beyond.append(column)
    value = pl.coalesce(beyond) if beyond else pl.lit(None, pl.String)
    overlong = cells.select(ROW, value=value).drop_nulls("value")
    return Table(
        file, sheet, encoding, excel, header, cells.select(ROW, *header), int(frame[ROW][0]), overlong, notes=notes
    )


def _without_repeats(
    body: pl.DataFrame, columns: Sequence[str], lines: Sequence[heads.Line], first: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Without rows that equal the header, as each printed page has it; with them go the titles above it."""
    again: list[int] = []
    for line in reversed(lines):
        if len(again) == 0 and line in lines[:first]:
            break
        filled = {c: cell for c, cell in zip(columns, line, strict=True) if cell and cell.strip()}
        if not filled:
            continue
        begin = next(iter(filled))
        some = body.filter(pl.col(begin) == filled[begin])
        if some.height:
            same = some.filter(
                pl.all_horizontal(
                    pl.col(c).eq_missing(pl.lit(v, pl.String)) for c, v in zip(columns, line, strict=True)
                )
            )
            again += same[ROW].to_list()
    return _without(body, again)


def _without(body: pl.DataFrame, rows: list[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    gone = pl.DataFrame({ROW: rows, "value": [None] * len(rows)}, {ROW: pl.Int64, "value": pl.String}).sort(ROW)
    return (body.join(gone, on=ROW, how="anti", maintain_order="left") if rows else body), gone


def _without_footers(body: pl.DataFrame, columns: Sequence[str], width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Without what stands below the last record: who made it, notes. These texts are not told: they name persons."""
    tail = body.tail(_TAIL)
    rows: list[int] = []
    for row, *line in reversed(tail.select(ROW, *columns).rows()):
        filled = [cell.strip() for cell in line if cell and cell.strip()]
        alone = width > 2 and len(filled) == 1 and bool(_SENTENCE.search(filled[0]))
        signed = [bool(_FOOTER.match(cell)) for cell in filled]
        if not filled or not (alone or all(signed) or (signed[0] and len(filled) < width)):
            break
        rows.append(row)
    return (body.head(body.height - len(rows)), _without(tail, rows)[1]) if rows else (body, body.select(ROW).head(0))


def _without_totals(
    body: pl.DataFrame, columns: Sequence[str], named: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Without rows that say total in one of their first cells and have only numbers to the right of it."""
    found = []
    for column in named[:_TOTAL_WITHIN]:
        right = columns[columns.index(column) + 1 :]
        said = body.filter(pl.col(column).str.contains(_TOTAL)) if right else body.head(0)
        if said.height:
            numbers = pl.all_horizontal(pl.col(c).is_null() | pl.col(c).str.contains(_NUMERIC) for c in right)
            some = pl.any_horizontal(~_blank(c) for c in right)
            found.append(said.filter(numbers & some).select(ROW, value=pl.col(column).str.strip_chars()))
    if not found:
        return body, body.select(ROW).head(0)
    gone = pl.concat(found).unique(ROW, keep="first").sort(ROW)
    return body.join(gone, on=ROW, how="anti", maintain_order="left"), gone


def _filled_down(body: pl.DataFrame, merges: list[Merge]) -> pl.DataFrame:
    """With the value of each vertically merged cell in all its rows."""
    by_column: dict[str, list[Merge]] = {}
    for merge in merges:
        by_column.setdefault(str(merge[1]), []).append(merge)
    rows = body[ROW].to_numpy()
    for column, some in by_column.items():
        if column not in body.columns or not len(rows):
            continue
        some.sort()
        starts, ends = np.array([m[0] for m in some]), np.array([m[2] for m in some])
        at = np.searchsorted(starts, rows, side="right") - 1
        inside = (at >= 0) & (rows <= ends[at])
        source = np.minimum(np.searchsorted(rows, starts[at]), len(rows) - 1)
        source = np.where(inside & (rows[source] == starts[at]), source, np.arange(len(rows)))
        cells = body[column]
        body = body.with_columns(cells.zip_with(cells.is_not_null(), cells.gather(pl.Series(source))))
    return body


def _blank(column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def _all_blank(cells: pl.Series) -> bool:
    return cells.null_count() == cells.len() or bool((cells.str.strip_chars().fill_null("") == "").all())


def _without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with at least one cell that is not blank. Most rows are settled by their first cell."""
    candidates = frame
    for column in (c for c in frame.columns if c != ROW):
        candidates = candidates.filter(_blank(column))
        if not candidates.height:
            return frame
    return frame.join(candidates.select(ROW), on=ROW, how="anti", maintain_order="left")
