"""`growth`: does a repairable system become more reliable? Crow-AMSAA on the failure times of a file, or of a part in
the store.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from server.cli.command import command, option
from server.cli.demo import mark
from server.cli.records import level_option, one_source, picture_option, source
from server.cli.session import Session

if TYPE_CHECKING:
    from analytics.core import Reason
    from analytics.life.growth import Grouped, Observed
    from analytics.life.plots import Picture
    from analytics.life.repairable import Termination
    from ingest.reading import Table

NAMES = {
    "time": ("time", "age", "failure time", "time to failure", "t", "故障时间", "失效时间", "累计工作时间", "寿命"),
    "system": ("system", "unit", "serial", "系统", "设备", "台", "序列号"),
    "start": ("start", "entry", "观察起点", "起始寿命"),
    "end": ("end", "观察终点", "截止时间"),
    "from": ("from", "区间起点", "起"),
    "to": ("to", "区间终点", "止"),
    "failures": ("failures", "count", "失效数", "故障数", "数量"),
    "event": ("event", "状态", "失效标识"),
}
"""What columns of a file may be called, blanks and underscores alike."""
SURVIVED = {"suspension", "suspended", "censored", "s", "0", "在用", "截尾", "否"}
FAILED = {"failure", "failed", "f", "1", "失效", "故障", "是", ""}
AXES = ("fleet_time", "equal_ages", "production")

REFUSED = {
    "growth.columns": (
        Text("{file} 没有故障时间列。", "{file} has no column of failure times."),
        Text("需要 time（或 age）列；分组数据需要 from、to、failures 三列。",
             "Give it a column time (or age), or for counts the columns from, to and failures."),
    ),
    "growth.cell": (
        Text("{file} 第 {row} 行 {column} 列：{value} 不是数。",
             "{file}, row {row}, column {column}: {value} is no number."),
        Text("请更正该单元格。", "Correct the cell."),
    ),
    "growth.event": (
        Text("{file} 第 {row} 行：不认识的状态 {value}。", "{file}, row {row}: {value} is no event."),
        Text("请填写 failure 或 suspension。", "Write failure or suspension."),
    ),
    "growth.ends_differ": (
        Text("系统 {system} 有不止一个观察终点或起点。",
             "System {system} has more than one end or start of observation."),
        Text("每个系统只填一个。", "Say one for each."),
    ),
    "growth.end_not_failure": (
        Text("定数截尾的观察终点 {end} 不是最后一次失效 {last}。",
             "Up to a failure, observation ends at the last one, {last}, not at {end}."),
        Text("省略 --end，或用 --termination time。", "Leave --end out, or say --termination time."),
    ),
    "growth.end_not_interval": (
        Text("观察终点 {end} 不是最后一个区间的终点 {last}。",
             "The end {end} is not that of the last interval, {last}."),
        Text("省略 --end，或补上最后的区间。", "Leave --end out, or add the last interval."),
    ),
    "growth.change": (
        Text("{value} 不能作为变更时间。", "{value} is no time of a change."),
        Text("文件用数（与故障时间同单位，非分组数据），--part 用日期。",
             "For a file of times it is a number on their clock, for --part a day."),
    ),
}  # fmt: skip


@command(
    "growth",
    zh=(
        "可靠性增长（Crow-AMSAA）：β、λ、瞬时 MTBF 及区间，趋势检验、变点：来自 FILE（CSV、XLSX），或存储中的零部件。"
        "\n\n"
        "FILE 需要 time（或 age）列；多个系统加 system、end 列；分组数据用 from、to、failures 三列。"
    ),
    en=(
        "Growth (Crow-AMSAA) of the repairable systems in FILE (CSV, XLSX), or of a part in the store: beta, lambda "
        "and instantaneous MTBF with intervals, tests of trend, changes.\n\n"
        "FILE needs a column time (or age); for several systems system and end, too; for counts from, to and failures."
    ),
    params=[
        *source(),
        option("--mode", zh="只计该失效模式。", en="Failures of this mode only.", metavar="MODE"),
        option(
            "--end", zh="观察终点，所有系统相同时。", en="When observation ended, if for all systems alike.",
            type=float, metavar="T",
        ),
        option(
            "--termination", zh="定时（time）或定数（failure）截尾。", en="Whether it ended at a time or at a failure.",
            type=click.Choice(["time", "failure"]), default="time", show_default=True,
        ),
        option(
            "--change", zh="已知的变更：FILE 用时间，--part 用日期或 version。", metavar="T",
            en="A change that is known: a time in FILE, a day (or version) of --part.",
        ),
        level_option(),
        picture_option(),
        option(
            "--axis", zh="--part 的图用哪条轴。", en="Which track of --part is drawn.",
            type=click.Choice(AXES), default=AXES[0], show_default=True,
        ),
    ],
    reads=True,
)  # fmt: skip
def growth(
    session: Session, file: Path | None, part: str | None, maker: str | None, mode: str | None, end: float | None,
    termination: Termination, change: str | None, level: float, picture: Path | None, axis: str,
) -> None:  # fmt: skip
    """A file without failures, or with one, has an answer, too: what can be said, and why not more."""
    one_source(session, file, part, picture)
    if file is not None:
        _of_file(session, file, end, termination, change, level, picture)
    else:
        asked = {"part": part, "maker": maker, "mode": mode, "change": change, "level": level}
        _of_part(session, {name: value for name, value in asked.items() if value is not None}, picture, axis)


def _of_part(session: Session, asked: dict[str, Any], picture: Path | None, axis: str) -> None:
    from pydantic import ValidationError

    from analytics import run

    with session.view() as view:
        try:
            found = run("growth", view, asked)
        except ValidationError:
            raise _refusal("growth.change", value=asked.get("change")) from None
        mark(session, view)
        drawn = next((each.plot for each in found.tracks if each.axis == axis), None)
        if picture is not None and drawn is not None:
            _draw(session, picture, drawn)
        headings, rows = found.rows(session.locale)
        session.answer(found.payload(session.locale), headings, rows)


def _of_file(
    session: Session, file: Path, end: float | None, termination: Termination, change: str | None, level: float,
    picture: Path | None,
) -> None:  # fmt: skip
    from analytics.life.growth_report import HEADINGS, tracked

    data = read(file, end, termination)
    found = tracked(data, Text(file.stem, file.stem), level=level)
    payload = {name: value for name, value in found.payload(session.locale).items() if name not in {"axis", "unit"}}
    rows = found.rows(session.locale)
    if change is not None:
        payload["change"], more = _changed(data, change, level, session.locale)
        rows += more
    if picture is not None:
        _draw(session, picture, found.plot)
    session.answer(payload, [each.say(session.locale) for each in HEADINGS], rows)
    if session.format != "json":
        _tell(session, found.warnings)


def _changed(
    data: Observed | Grouped, change: str, level: float, locale: str
) -> tuple[dict[str, Any], list[list[Any]]]:
    """Growth before and after a known change."""
    from analytics.life import growth_bounds as bounds
    from analytics.life import trend
    from analytics.life.growth import Grouped
    from analytics.life.growth_report import estimate, number, three

    try:
        at = float(change)
    except ValueError:
        at = float("nan")
    if isinstance(data, Grouped) or math.isnan(at):
        raise _refusal("growth.change", value=change)
    step = trend.known_change(data, at, level)
    answer: dict[str, Any] = {
        "at": at,
        "step": three(estimate(step.step, level)),
        "p": step.p,
        "rates": three(estimate(step.rates, level)),
        "p_rates": step.p_rates,
    }
    for side, fit in (("before", step.before), ("after", step.after)):
        shape, instant = estimate(bounds.shape(fit, level), level), estimate(bounds.mtbf(fit, None, level), level)
        answer[side] = {"failures": round(fit.failures), "beta": three(shape), "mtbf_instantaneous": three(instant)}
    told = (
        (Text("变更前后故障强度之比", "Intensity after the change over that before"), answer["step"], step.p),
        (Text("变更前后平均故障率之比", "Mean rate after the change over that before"), answer["rates"], step.p_rates),
    )
    return answer, [[f"{text.say(locale)} (p = {number(p)})", *of.values()] for text, of, p in told]


def read(file: Path, end: float | None, termination: Termination) -> Observed | Grouped:
    """The failure times, or the counts by interval, of a CSV file or a workbook. Raises ChaingraphError."""
    import numpy as np

    from analytics.life.growth import grouped, observed, refuse
    from ingest.headers import fold
    from ingest.lives import opened
    from ingest.report import Report

    known = {fold(name): field for field, names in NAMES.items() for name in names}
    table = opened(file, Report(), recognised=lambda heading: fold(heading) in known)[0]
    columns = {known[fold(name)]: at for at, name in table.header.items() if fold(name) in known}
    if {"from", "to", "failures"} <= columns.keys():
        low, high, failures = (_numbers(table, columns, each) for each in ("from", "to", "failures"))
        last = float(high.max())
        if end is not None and end != last:
            raise _refusal("growth.end_not_interval", end=end, last=last)
        return grouped(low, high, failures)
    if "time" not in columns:
        raise _refusal("growth.columns", file=table.name)
    times = _numbers(table, columns, "time")
    system = table.cells[columns["system"]].fill_null("") if "system" in columns else None
    codes = np.zeros(len(times), np.int64)
    if system is not None:
        codes = np.unique(system.to_numpy().astype(str), return_inverse=True)[1].astype(np.int64)
    failed = _failed(table, columns)
    counts = _numbers(table, columns, "failures", 1.0)
    if (broken := np.flatnonzero((counts < 0) | (counts != np.floor(counts)))).size:
        raise refuse("growth.not_a_count", value=float(counts[broken[0]]))
    ends = _of_systems(table, columns, "end", codes)
    starts = _of_systems(table, columns, "start", codes)
    alive = np.full(codes.max(initial=0) + 1, np.nan)
    alive[codes[~failed]] = times[~failed]
    ends = np.where(np.isnan(ends), alive if end is None else end, ends)
    index = np.repeat(np.flatnonzero(failed), counts[failed].astype(np.int64))
    until = None if np.isnan(ends).any() else ends
    data = observed(times[index], until, termination, codes[index], np.nan_to_num(starts))
    if termination == "failure":
        latest = np.zeros(len(data.end))
        np.maximum.at(latest, data.system, data.time)
        if (wrong := np.flatnonzero(data.end != latest)).size:
            raise _refusal("growth.end_not_failure", end=float(data.end[wrong[0]]), last=float(latest[wrong[0]]))
    return data


def _numbers(table: Table, columns: dict[str, str], name: str, default: float | None = None) -> Any:
    """A column as floats; a cell that is none is refused by its place, an empty one has the default."""
    import numpy as np
    import polars as pl

    from ingest.cleaning import numbers

    if name not in columns:
        return np.full(table.cells.height, np.nan if default is None else default)
    cells = table.cells[columns[name]]
    found = numbers(cells)
    empty = cells.is_null() | (cells.str.strip_chars() == "")
    wrong = found.failed | (empty if default is None and name in {"time", "from", "to", "failures"} else found.failed)
    if wrong.any():
        at = int(wrong.arg_true()[0])
        raise _refusal(
            "growth.cell", file=table.name, row=table.cells["row"][at], column=table.header[columns[name]],
            value=cells[at] or "–",
        )  # fmt: skip
    return found.values.cast(pl.Float64).fill_null(np.nan if default is None else default).to_numpy()


def _failed(table: Table, columns: dict[str, str]) -> Any:
    """Which rows are failures: all where no column says."""
    import numpy as np

    if "event" not in columns:
        return np.ones(table.cells.height, np.bool_)
    said = table.cells[columns["event"]].fill_null("").str.strip_chars().str.to_lowercase().to_list()
    for at, each in enumerate(said):
        if each not in SURVIVED | FAILED:
            raise _refusal("growth.event", file=table.name, row=table.cells["row"][at], value=each)
    return np.array([each not in SURVIVED for each in said])


def _of_systems(table: Table, columns: dict[str, str], name: str, codes: Any) -> Any:
    """What a column says of each system, nan where nothing."""
    import numpy as np

    given = _numbers(table, columns, name)
    found = np.full(codes.max(initial=0) + 1, np.nan)
    there = ~np.isnan(given)
    found[codes[there]] = given[there]
    differs = there & (given != found[codes])
    if differs.any():
        at = int(np.flatnonzero(differs)[0])
        called = table.cells[columns["system"]][at] if "system" in columns else "1"
        raise _refusal("growth.ends_differ", system=called)
    return found


def _refusal(code: str, **values: object) -> Exception:
    from chaingraph import ChaingraphError

    shown = {name: f"{v:g}" if isinstance(v, float) else str(v) for name, v in values.items()}
    text, remedy = REFUSED[code]
    return ChaingraphError(code, Text(text.zh.format(**shown), text.en.format(**shown)), remedy)


def _draw(session: Session, file: Path, picture: Picture) -> None:
    from server.cli.pictures import svg

    file.write_text(svg(picture, session.locale), encoding="utf-8")
    session.note(Text(f"图已存为 {file}。", f"The picture is in {file}."))


def _tell(session: Session, warnings: tuple[Reason, ...]) -> None:
    for each in warnings:
        session.note(each.text)
