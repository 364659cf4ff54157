"""Life records for commands: those of a file, or those of a part in the store, with the columns to group them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.text import Text
from server.cli.command import argument, option
from server.cli.demo import mark
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl

    from analytics.core import Reason
    from analytics.life.pieces import LifeFit

TOLD = 20
"""Findings of a file that are told one by one."""

TAKEN = {
    "maker": Text("制造商", "maker"),
    "lot": Text("批次", "lot"),
    "mode": Text("失效模式", "mode"),
    "mechanism": Text("失效机理", "mechanism"),
    "region": Text("地区", "region"),
    "version": Text("版本", "version"),
    "product": Text("产品", "product"),
    "origin": Text("来源", "origin"),
    "stage": Text("寿命阶段", "stage"),
}
"""The columns by which records in the store are grouped."""


KINDS = {"lot": "lot", "mode": "mode", "mechanism": "mechanism", "product": "part"}
"""Columns whose values are keys of things: people call these by code and name."""
UNSAID = Text("未注明", "not said")


@dataclass(frozen=True, slots=True)
class Records:
    """What is to be fitted: rows with the columns to group by, the ages' unit, what they are of, what is to be said."""

    rows: pl.DataFrame
    unit: str | None
    name: Text
    warnings: tuple[Reason, ...] = ()
    refused: int = 0
    names: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    """What people call the values of a column, where that is not the value."""

    def called(self, fit: LifeFit, locale: str) -> list[str]:
        """What a group is, for people."""
        return [
            UNSAID.say(locale) if each.value is None
            else self.names.get(each.name, {}).get(each.value, Text(each.value, each.value)).say(locale)
            for each in fit.group
        ]  # fmt: skip


def source() -> list[click.Parameter]:
    """Where lives come from: a file, or a part in the store, of one maker if wanted."""
    return [
        argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path)),
        option("--part", zh="存储中的零部件，代替 FILE。", en="A part in the store, in place of FILE.", metavar="PART"),
        option("--maker", zh="只取该制造商的数据。", en="Only what this organisation made.", metavar="ORG"),
    ]


def level_option() -> click.Parameter:
    """The confidence of intervals."""
    return option(
        "--level", zh="区间的双侧置信水平。", en="Two-sided confidence of the intervals.",
        type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.9, show_default=True,
    )  # fmt: skip


def picture_option() -> click.Parameter:
    """The file of a picture."""
    return option(
        "--picture", zh="另画一张图，存为此 SVG 文件。", en="Draw a picture, too, into this SVG file.",
        type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.svg",
    )  # fmt: skip


def one_source(session: Session, file: Path | None, part: str | None, picture: Path | None = None) -> None:
    """Raises wrong usage unless there is a file or a part, and a picture's name says what it is."""
    if (file is None) == (part is None):
        raise click.UsageError(session.say(Text("请给出 FILE 或 --part。", "Name a FILE, or a part with --part.")))
    if picture is not None and picture.suffix.lower() != ".svg":
        raise click.BadParameter(session.say(Text("应为 .svg 文件。", "It must end in .svg.")), param_hint="--picture")


def of_file(session: Session, file: Path, maker: str | None, mode: str | None, by: Sequence[str]) -> Records:
    """The records of a file; what was found wrong is told."""
    import polars as pl

    from analytics.life.rows import Event
    from server.cli.lives import read

    lives = read(file)
    for each in lives.findings[:TOLD]:
        row = each.to_row(session.locale)
        place = " ".join(str(row[name]) for name in ("file", "row", "column") if row[name] is not None)
        session.note(Text(*[f"{each.code}: {place}: {row['text']} {row['remedy']}"] * 2))
    if (more := len(lives.findings) - TOLD) > 0:
        session.note(Text(f"另有 {more} 条。", f"And {more} findings more."))
    rows = lives.frame
    codes = {each.name.lower(): int(each) for each in Event}
    rows = rows.with_columns(event=pl.col("event").cast(pl.String).replace_strict(codes, return_dtype=pl.Int8))
    for name, value in (("maker", maker), ("mode", mode)):
        if value is not None:
            refuse_unknown(session, [name], rows.columns, f"--{name}")
    if maker is not None:
        rows = rows.filter(pl.col("maker") == maker)
    refuse_unknown(
        session, by, [c for c in rows.columns if c not in {"row", "age", "age_to", "entry", "count", "event"}]
    )
    units = rows["unit"].drop_nulls().unique().to_list() if "unit" in rows.columns else []
    return Records(
        _competing(rows, mode, by), units[0] if len(units) == 1 else None, Text(file.name, file.name),
        refused=lives.refused,
    )  # fmt: skip


def of_part(session: Session, part: str | None, maker: str | None, mode: str | None, by: Sequence[str]) -> Records:
    """The records of a part that a view counts."""
    from analytics.labels import called, labels
    from analytics.life_model import mode_of, records
    from analytics.model import model
    from chaingraph import naming

    refuse_unknown(session, by, list(TAKEN))
    with session.view() as view:
        known = model(view)
        key = known.parts([naming.part(view, str(part))])[0]
        of = None if maker is None else known.maker(naming.organisation(view, maker))
        wanted = None if mode is None else mode_of(view, key, mode)
        rows, unit, warnings = records(known, key, of, wanted)
        mark(session, view)
        if "mode" in by:
            warnings = tuple(each for each in warnings if each.code != "modes_together")
        names = {column: labels(view, KINDS[column]) for column in by if column in KINDS}
        return Records(_competing(rows, None, by), unit, called(view, "part", key), warnings, names=names)


def _competing(rows: pl.DataFrame, mode: str | None, by: Sequence[str]) -> pl.DataFrame:
    """Rows in which failures by other modes are suspensions: than `mode`, or of each group by mode.

    Where units still alive have modes, too, these say what they were observed for, and stay as they are.
    """
    import polars as pl

    from analytics.life.rows import Event
    from analytics.records import by_mode, of_mode

    if mode is not None:
        rows = rows.with_columns(wanted=pl.lit(mode)).with_columns(**of_mode("wanted")).drop("wanted")
    if "mode" not in by:
        return rows
    alive = pl.col("event") == int(Event.SUSPENSION)
    return rows if rows.filter(alive & pl.col("mode").is_not_null()).height else by_mode(rows, by)


def refuse_unknown(session: Session, asked: Sequence[str], there: Sequence[str], option: str = "--by") -> None:
    """Raises wrong usage for a column that is not there."""
    for name in asked:
        if name not in there:
            wrong = Text(f"没有 {name} 列；有：{'、'.join(there)}。", f"There is no column {name}: {', '.join(there)}.")
            raise click.BadParameter(session.say(wrong), click.get_current_context(), param_hint=option)
