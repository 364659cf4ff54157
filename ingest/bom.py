"""Bills of materials as PLM and ERP systems export them: a tree in one list, told by levels, numbers or indentation.

Such a sheet says two things: what is in what (`contains`), and what the things are called (`part`). It becomes two
tables, each with the rows' numbers of the file: in the first stands a column of parents that the sheet does not have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ingest import headers
from ingest.headers import Column, fold, split_unit
from ingest.reading import ROW, Note, Table
from ingest.resolve import Resolver
from ingest.units import Scale
from schema import KINDS

BOM, PARTS = "BOM", "BOM·parts"
"""What the two tables are called."""
SHEETS = {BOM: "contains", PARTS: "parts"}
"""The sheets of a dataset that they are."""
_MOST = 60
"""Levels beyond so many are none."""
_SHOWN = 80
_LEVELS = 0.8
"""Such a share of the cells of a column of levels must be levels."""
_INDENTED = 0.6
"""Such a share of the lines of an indented list must be indented."""
_MARKS = r"^[\s　.·…。+＋\-–—_*>│├└─|]*"
_ALL_MARKS = r"^[\s.+＋\-*>]+$"
_NUMBERED = re.compile(r"^\d+(?:[.\-]\d+)*\.?$")
_NUMBER_HEADINGS = frozenset(
    {"序号", "编号", "项次", "行号", "层次号", "结构号", "项号", "no", "item", "itemno", "pos"}
)
_NAMES = frozenset({"子件名称", "组件名称", "子项名称", "物料名称及规格", "componentname", "childname", "子件描述"})
_PER_PRODUCT = frozenset({"单台用量", "单机用量", "单车用量", "整机用量", "每台用量", "qtyperunit", "qtyperproduct"})
_TOTAL = frozenset({"总用量", "总数量", "合计用量", "累计用量", "totalqty", "totalquantity", "extendedqty"})
_PHANTOM = frozenset({"虚拟件", "是否虚拟件", "虚拟", "是否虚拟", "虚拟件标识", "phantom", "isphantom", "virtual"})
_CHINESE = {word: str(n) for n, word in enumerate("零一二三四五六七八九")}


@dataclass(frozen=True)
class _Tree:
    """A bill as lines: `row` of the file, `at` (their order), `level` (from 0; null unknown), `number`, `path` where
    lines are numbered; further columns of the file by position. `used` are the positions that went into the levels.
    """

    lines: pl.DataFrame
    used: frozenset[str]
    numbers: Column
    steps: bool
    """Are levels counted, so that one can be left out?"""


def expanded(table: Table, *, plain: bool = False) -> list[Table]:
    """The two tables of a bill of materials in one list, what is in what and the parts; any other table as it is, and
    one that somebody has decided about to be `plain`.
    """
    part = headers.reading(table.header, KINDS["part"])
    contains = headers.reading(table.header, KINDS["contains"])
    seen = headers.detect(table.header, [table.sheet]).reading
    if plain or not table.cells.height or (seen is not None and seen.kind.name not in {"part", "contains"}):
        return [table]
    if contains.column("parent") is not None and contains.column("child") is not None:
        return _stated(table, contains)
    tree = _by_columns(table) or _by_level(table, part) or _by_number(table, part) or _by_indentation(table, part)
    return [table] if tree is None or (tree.lines["level"].n_unique() < 2) else _tables(table, tree)


def undescribed(rows: pl.DataFrame, bills: Collection[int], resolver: Resolver, leaving: pl.Series) -> pl.DataFrame:
    """Typed rows of parts without those that bills (`_sheet` in `bills`) only name: a bill says what is in what, and
    changes no part that the loader sees described (but for those `leaving`), or that another sheet describes.
    """
    of_bill = pl.col("_sheet").is_in(list(bills))
    mine = rows.with_row_index("_at").filter(of_bill)
    asked = mine.select("owner", child="number", parent=pl.lit(None, pl.String))
    found, wrong = resolver.resolve(KINDS["contains"], asked)
    known = resolver.known("part").filter(~pl.col("stub") & ~pl.col("key").is_in(leaving.implode()))["key"]
    twice = [mine["_at"].gather(places["_at"]) for places in wrong.values()]
    stated = rows.filter(~of_bill).select("owner", "number").unique()
    there = mine.filter(found["child"].is_in(known.implode()).fill_null(value=False))["_at"]
    said = mine.join(stated, on=["owner", "number"], how="semi")["_at"]
    again = mine.filter(pl.col("number").is_not_null() & ~pl.struct("owner", "number").is_first_distinct())["_at"]
    gone = pl.concat([there, said, again, *twice]).unique()
    return rows.with_row_index("_at").filter(~pl.col("_at").is_in(gone.implode())).drop("_at")


def _stated(table: Table, contains: headers.Reading) -> list[Table]:
    """A list that has a column of parents, and names of the children: both are taken."""
    child, parent = contains.column("child"), contains.column("parent")
    name = next((p for p, heading in table.header.items() if _named(heading)), None)
    if child is None or parent is None or name is None:
        return [table]
    clean = pl.col(parent.position).str.strip_chars().fill_null("")
    lines = table.cells.filter(~clean.is_in(["", "-", "/", "—"]))
    others = {p: h for p, h in table.header.items() if p != name}
    first = replace(table, facet=BOM, header=others, cells=lines.select(ROW, *others))
    return [first, _parts(table, table.cells, {parent.position} | _only_of_lines(table, name), {})]


def _named(heading: str) -> bool:
    name = headers.names_of(KINDS["part"]).get(fold(split_unit(heading)[0]))
    return fold(heading) in _NAMES or (name is not None and name.name in {"name_zh", "name_en"})


def _phantom(heading: str) -> bool:
    return fold(split_unit(heading)[0]) in _PHANTOM


def _only_of_lines(table: Table, name: str | None) -> set[str]:
    """Columns that say something of a line, not of the part in it."""
    lines = headers.reading(table.header, KINDS["contains"])
    mine = {c.position for c in lines.columns if c.field.name != "child"} | {p for p, _, _ in lines.twice}
    part = {c.position for c in headers.reading(table.header, KINDS["part"]).columns}
    mine |= {p for p, h in table.header.items() if fold(split_unit(h)[0]) in _TOTAL | _PER_PRODUCT}
    return (mine - part) - {name or ""}


def _lines(table: Table) -> pl.DataFrame:
    return table.cells.with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))


def _level(cell: pl.Expr) -> pl.Expr:
    """The depth that a cell says: 2, .2, ..2, L2, 2级, 二级, ++; null for anything else."""
    text = cell.str.normalize("NFKC").str.strip_chars()
    digits = text.str.replace_many(_CHINESE).str.replace(r"^第", "")
    said = digits.str.extract(r"(?i)^(?:[.+\-*\s]*|l|lv|level\s*)(\d{1,2})(?:\.0)?\s*(?:级|层|阶)?$", 1)
    marks = pl.when(text.str.contains(_ALL_MARKS)).then(text.str.count_matches(r"\S"))
    return pl.coalesce(said.cast(pl.Int64, strict=False), marks.cast(pl.Int64))


def _by_level(table: Table, part: headers.Reading) -> _Tree | None:
    """A column of depths, or of numbers such as 1.1.2 under such a heading."""
    position = next((p for p, heading in table.header.items() if headers.is_level(heading)), None)
    number = part.column("number")
    if position is None or number is None:
        return None
    lines = _lines(table).with_columns(level=_level(pl.col(position)))
    filled = table.cells.height - table.cells[position].null_count()
    if lines["level"].count() < _LEVELS * filled or not filled:
        return _numbered(table, position, number)
    smallest = lines["level"].min()
    if lines["level"][0] is None and isinstance(smallest, int) and lines["level"].null_count() == 1:
        lines = lines.with_columns(level=pl.col("level").fill_null(smallest - 1))
    marked = pl.col(position).str.strip_chars().str.contains(_ALL_MARKS)
    if lines.select((marked & pl.col("level").is_not_null()).any()).item():  # +, ++ below a line without a mark
        lines = lines.with_columns(level=pl.col("level").fill_null(0))
    return _tree(lines, {position}, number)


def _by_number(table: Table, part: headers.Reading) -> _Tree | None:
    """A column of hierarchical numbers: 1, 1.1, 1.1.2."""
    number = part.column("number")
    if number is None:
        return None
    for position, heading in table.header.items():
        name = fold(split_unit(heading)[0])
        if position != number.position and (name in _NUMBER_HEADINGS or headers.is_level(heading)):
            found = _numbered(table, position, number)
            if found is not None:
                return found
    return None


def _numbered(table: Table, position: str, number: Column) -> _Tree | None:
    path = pl.col(position).str.normalize("NFKC").str.strip_chars().str.replace_all("-", ".", literal=True)
    lines = _lines(table).with_columns(path=path.str.strip_chars_end("."))
    good = lines["path"].str.contains(r"^\d+(?:\.\d+)*$").fill_null(value=False)
    decimal = lines["path"].str.contains(r"\.\d+\.\d").any() or lines["path"].str.contains(r"^\d+\.\d+$").sum() > 1
    if not decimal or good.sum() < _LEVELS * good.len():
        return None
    lines = lines.with_columns(path=pl.when(good).then("path"))
    level = pl.col("path").str.count_matches(".", literal=True).cast(pl.Int64)
    top = (pl.col("path") == "0").fill_null(value=False)
    whole = bool(lines.select(top.first() & (top.sum() == 1)).item())
    lines = lines.with_columns(level=pl.when(top).then(0).otherwise(level + 1) if whole else level)
    return _tree(lines, {position}, number)


def _by_indentation(table: Table, part: headers.Reading) -> _Tree | None:
    """Blanks, dots or lines in front of the numbers or the names."""
    number = part.column("number")
    columns = [c for c in (number, part.column("name_zh"), part.column("name_en")) if c is not None]
    if number is None or headers.reading(table.header, KINDS["contains"]).column("quantity") is None:
        return None
    for column in columns:
        width = pl.col(column.position).str.extract(f"({_MARKS})", 1)
        wide = width.str.count_matches("[　\t]").cast(pl.Int64)
        width = width.str.len_chars().cast(pl.Int64) + wide
        lines = _lines(table).with_columns(width=width)
        widths = sorted(lines["width"].drop_nulls().unique().to_list())
        if not 2 <= len(widths) <= _MOST or lines["width"][0] != widths[0]:
            continue
        if (lines["width"] > widths[0]).sum() < _INDENTED * lines.height:  # a stray blank is no indentation
            continue
        lines = lines.with_columns(
            pl.col(column.position).str.replace(_MARKS, ""),
            level=pl.col("width").rank("dense").cast(pl.Int64) - 1,
        )
        return _tree(lines.drop("width"), set(), number, steps=False)
    return None


def _by_columns(table: Table) -> _Tree | None:
    """A column for each level, each with the part's number; cells of upper levels may be repeated."""
    levels = {p: n for p, h in table.header.items() if (n := headers.level_of(h)) is not None}
    if len(levels) < 2 or len(set(levels.values())) < len(levels):
        return None
    ordered = sorted(levels, key=levels.__getitem__)
    lines = _lines(table)
    cells = [pl.col(p).str.strip_chars() for p in ordered]
    lines = lines.with_columns(pl.when(c != "").then(c).alias(p) for c, p in zip(cells, ordered, strict=True))
    deepest = pl.max_horizontal(pl.when(pl.col(p).is_not_null()).then(n) for n, p in enumerate(ordered))
    lines = lines.with_columns(deepest=deepest)
    chain = [
        pl.concat_str([pl.col(p).fill_null("") for p in ordered[: n + 1]], separator="\n") for n in range(len(ordered))
    ]
    said = [
        lines.filter(
            pl.col(p).is_not_null() & ((pl.col("deepest") == n) | (chain[n] != chain[n].shift(1)).fill_null(value=True))
        ).with_columns(level=pl.lit(n, pl.Int64), number=pl.col(p), own=pl.col("deepest") == n)
        for n, p in enumerate(ordered)
    ]
    rest = [p for p in table.header if p not in levels]
    long = pl.concat(said).sort("at", "level")
    beyond = [pl.when("own").then(pl.col(p)).alias(p) for p in rest]
    number = str(max(map(int, table.header)) + 2)
    long = long.select(ROW, "level", *beyond, pl.col("number").alias(number)).with_row_index("at")
    column = Column(number, "物料编码", KINDS["part"].fields["number"], Scale())
    return _tree(long.with_columns(pl.col("at").cast(pl.Int64)), set(levels), column)


def _tree(lines: pl.DataFrame, used: set[str], number: Column, *, steps: bool = True) -> _Tree:
    text = pl.col(number.position).str.replace(r"^[\s　.·…。+＋>│├└─|]+", "").str.strip_chars()
    level = pl.when(pl.col("level").is_between(-1, _MOST)).then("level")
    lines = lines.with_columns(pl.when(text != "").then(text).alias(number.position), level=level)
    if "path" not in lines.columns:
        lines = lines.with_columns(path=pl.lit(None, pl.String))
    return _Tree(lines, frozenset(used), number, steps)


def _with_parents(tree: _Tree) -> pl.DataFrame:
    """The lines with `up`, the line (`at`) that each stands in: the last one above with a smaller level; where lines
    are numbered, the one whose number it continues.
    """
    lines = tree.lines
    levels = sorted(lines["level"].drop_nulls().unique().to_list())
    above = [
        pl.when(pl.col("level") == n).then(pl.when(pl.col("level") < n).then("at").forward_fill()) for n in levels[1:]
    ]
    lines = lines.with_columns(up=pl.coalesce(above) if above else pl.lit(None, pl.Int64))
    paths = lines.select(upper="path", by_path="at").drop_nulls()
    if paths.height and paths["upper"].n_unique() == paths.height:
        upper = pl.col("path").str.replace(r"\.?\d+$", "")
        lines = lines.with_columns(upper=upper).join(paths, on="upper", how="left", maintain_order="left")
        lines = lines.with_columns(up=pl.coalesce("by_path", "up")).drop("by_path", "upper")
    return lines


def _tables(table: Table, tree: _Tree) -> list[Table]:
    at = tree.numbers.position
    lines = _with_parents(tree)
    ups = lines.select(up="at", parent=at, up_level="level")
    lines = lines.join(ups, on="up", how="left", maintain_order="left")
    notes = _notes(table, tree, lines)
    lines, repeated = _once(table, lines, at)
    notes += repeated
    quantity, wrong = _quantities(table, lines)
    notes += wrong[0]
    read = headers.reading(table.header, KINDS["contains"])
    kept = {p: h for p, h in table.header.items() if p not in tree.used}
    if quantity is not None and not read.column("quantity"):
        kept[quantity] = "用量"
    parent, find = (str(max(map(int, [*table.header, at])) + n) for n in (1, 2))
    header = {parent: "父件编码", at: tree.numbers.heading} | kept
    found = lines.with_columns(pl.col("parent").alias(parent))
    place = read.column("find_no")
    if place is None or place.position in tree.used:
        again = (pl.int_range(1, pl.len() + 1).over("up", at)).cast(pl.String)
        last = pl.col("path").str.extract(r"(\d+)$", 1)
        found = found.with_columns(pl.coalesce(last, pl.when(again != "1").then(again)).alias(find))
        header[find] = "项次"
    names = {p for p in kept if _named(table.header[p]) or _phantom(table.header[p])}
    header = {p: h for p, h in header.items() if p not in names}
    found = found.filter(pl.col("parent").is_not_null() & pl.col(at).is_not_null() & ~pl.col(ROW).is_in(wrong[1]))
    bom = replace(table, facet=BOM, header=header, cells=found.select(ROW, *header), notes=(*table.notes, *notes))
    gone = set(tree.used) | _only_of_lines(table, None)
    return [bom, _parts(table, lines, gone, {at: tree.numbers.heading})]


def _parts(table: Table, lines: pl.DataFrame, without: set[str], more: dict[str, str]) -> Table:
    """The parts of the lines, each once, as the first line with a name has it."""
    header = more | {p: h for p, h in table.header.items() if p not in without}
    header = {p: "物料名称" if fold(h) in _NAMES else h for p, h in header.items()}
    read = headers.reading(header, KINDS["part"])
    number = read.column("number")
    child = headers.reading(table.header, KINDS["contains"]).column("child")
    at = number.position if number else child.position if child else next(iter(header))
    if number is None:
        header = {p: "物料编码" if p == at else h for p, h in header.items()}
    name = read.column("name_zh")
    order = [pl.col(name.position).is_null()] if name else []
    text = pl.col(at).str.strip_chars()
    rows = lines.filter(text.fill_null("") != "").sort(*order, ROW) if order else lines.filter(text.fill_null("") != "")
    rows = rows.unique(at, keep="first", maintain_order=True).sort(ROW).select(ROW, *header)
    if name:
        rows = rows.with_columns(pl.col(name.position).str.replace(_MARKS, ""))
    empty = table.overlong.head(0)
    return replace(table, facet=PARTS, header=header, cells=rows, notes=(), overlong=empty)


def _once(table: Table, lines: pl.DataFrame, at: str) -> tuple[pl.DataFrame, list[Note]]:
    """Without the lines below a part that stand below the same part further up already, in the same numbers."""
    said = [c.position for c in headers.reading(table.header, KINDS["contains"]).columns if c.field.name != "find_no"]
    text = pl.concat_str([pl.col(p).fill_null("") for p in dict.fromkeys([at, *said])], separator="\n")
    below = lines.filter(pl.col("up").is_not_null())
    trees = below.group_by("up", maintain_order=True).agg(pl.col("parent").first(), tree=text.sort().str.join("\r"))
    trees = trees.with_columns(first=pl.col("tree").first().over("parent"), place=pl.int_range(pl.len()).over("parent"))
    trees = trees.filter((pl.col("place") > 0) & pl.col("parent").is_not_null())
    same, other = trees.filter(pl.col("tree") == pl.col("first")), trees.filter(pl.col("tree") != pl.col("first"))
    rows = lines.select(ROW, "at", value=at)
    notes = []
    for code, some in (("bom.repeated", same), ("bom.differs", other)):
        told = rows.join(some.select(at="up"), on="at", how="semi", maintain_order="left")
        if told.height:
            notes.append(Note(code, told.select(ROW, "value")))
    gone = lines["up"].is_in(same["up"].implode()).fill_null(value=False)
    return lines.filter(~gone), notes


def _notes(table: Table, tree: _Tree, lines: pl.DataFrame) -> list[Note]:
    """What is odd about the tree."""
    at = tree.numbers.position
    told = lines.with_columns(value=pl.col(at).str.slice(0, _SHOWN))
    steps = (pl.col("level") > pl.col("up_level") + 1) if tree.steps else pl.lit(value=False)
    least = lines["level"].min()
    roots = told.filter((pl.col("level") == least) & pl.col("up").is_null())
    lost = pl.col("level").is_not_null() & (pl.col("level") > least) & pl.col("parent").is_null()
    amount = headers.reading(table.header, KINDS["contains"]).column("quantity")
    unsaid = pl.col("up").is_not_null() & pl.col(amount.position).is_null() if amount else pl.lit(value=False)
    phantom = next((p for p, heading in table.header.items() if _phantom(heading)), None)
    yes = pl.col(phantom).str.to_lowercase().is_in(["是", "y", "yes", "1", "true", "x", "√"]) if phantom else None
    found = {
        "bom.jump": told.filter(steps),
        "bom.no_level": told.filter(pl.col("level").is_null()),
        "bom.no_parent": told.filter(lost),
        "bom.no_number": told.filter(pl.col(at).is_null()),
        "bom.no_quantity": told.filter(unsaid),
        "bom.roots": roots.slice(1) if roots.height > 1 else roots.head(0),
        "bom.phantom": told.filter(yes) if yes is not None else told.head(0),
    }
    return [Note(code, rows.select(ROW, "value")) for code, rows in found.items() if rows.height]


def _quantities(table: Table, lines: pl.DataFrame) -> tuple[str | None, tuple[list[Note], list[int]]]:
    """The column of quantities; a note where it may count for each product and not for each parent, and the rows of
    totals that nothing says how to divide.
    """
    column = headers.reading(table.header, KINDS["contains"]).column("quantity")
    position = column.position if column else None
    total = next((p for p, h in table.header.items() if fold(split_unit(h)[0]) in _TOTAL), None)
    doubtful = column is not None and fold(split_unit(column.heading)[0]) in _PER_PRODUCT
    position = position if position is not None else total
    if position is None or not (doubtful or position == total):
        return position, ([], [])
    number = pl.col(position).str.strip_chars().cast(pl.Float64, strict=False)
    several = lines.filter(pl.col("up").is_not_null() & (number != 1)).select("at")
    deep = lines.select(ROW, "at", "up", value=position)
    bad: Sequence[int] = several["at"].to_list()
    below = several.rename({"at": "up"})
    rows = deep.join(below, on="up", how="semi", maintain_order="left")
    for _ in range(_MOST):  # levels, not rows
        more = deep.join(rows.select(up="at"), on="up", how="semi", maintain_order="left")
        more = more.join(rows, on="at", how="anti", maintain_order="left")
        if not more.height:
            break
        rows = pl.concat([rows, more])
    rows = rows.unique("at").sort("at")
    if not rows.height or not bad:
        return position, ([], [])
    code = "bom.total_quantity" if position == total else "bom.per_product"
    note = Note(code, rows.select(ROW, "value"), table.header[position])
    return position, ([note], rows[ROW].to_list() if position == total else [])
