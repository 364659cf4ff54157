"""`lives`: what a file says of lives, and the same as life records that `load` takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from server.cli import output
from server.cli.command import argument, command, option
from server.cli.loading import FINDINGS, LISTED, gathered
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl

    from ingest.lives import Lives

SHAPES = {
    "records": Text("寿命数据", "life records"),
    "returns": Text("退货矩阵", "return matrix"),
    "claims": Text("索赔记录", "claims"),
    "totals": Text("月度合计", "totals by month"),
    "test": Text("试验结果", "test results"),
}
_SUMMARY = {
    "shape": Text("形式", "Shape"),
    "records": Text("记录", "Records"),
    "units": Text("个体", "Units"),
    "failures": Text("失效", "Failures"),
    "oldest": Text("最大寿命", "Oldest"),
    "unit": Text("单位", "Unit"),
    "refused": Text("拒收", "Refused"),
}


@command(
    "lives",
    zh=(
        "读懂一个寿命数据文件（寿命记录、退货矩阵、索赔、月度合计、试验结果），转换为寿命数据。\n\n"
        "不写入图谱；--out 写出可以 load 的文件。"
    ),
    en=(
        "Say what a file tells of lives (records, return matrix, claims, monthly totals, tests) and make life records "
        "of it.\n\nNothing is stored; --out writes a file that load takes."
    ),
    params=[
        argument("file", metavar="FILE", type=click.Path(path_type=Path)),
        option(
            "--shape", zh="文件的形式；缺省按列名判断。", en="What the file is; told by its headings by default.",
            type=click.Choice(list(SHAPES)),
        ),
        option(
            "--population", zh="索赔所对应的发货数量（月份、数量）。",
            en="File of what was shipped (month, quantity) that claims are counted against.",
            type=click.Path(path_type=Path), metavar="FILE",
        ),
        option("--until", zh="数据截止月份，如 2025-03。", en="Last month of the data, as 2025-03.", metavar="MONTH"),
        option(
            "--ages", zh="在用月数如何作为寿命：前后半个月的区间、区间中点、整月。",
            en="How months in service are ages: half a month around them, the middle of that, or whole months.",
            type=click.Choice(["interval", "middle", "whole"]), default="interval", show_default=True,
        ),
        option(
            "--usage-per-month", "usage", zh="每月使用量；给出后寿命以其单位计。",
            en="What a unit gathers in a month: ages are then in its unit.", type=click.FloatRange(0, min_open=True),
            metavar="N",
        ),
        option("--unit", zh="每月使用量的单位。", en="Unit of that.", type=click.Choice(["h", "km", "cycles"]),
               default="h", show_default=True),
        option(
            "--factor", zh="试验采用的加速系数：估计值，或区间下限。",
            en="Acceleration factor of tests: as estimated, or the low end of its interval.",
            type=click.Choice(["value", "low"]), default="value", show_default=True,
        ),
        option("--part", zh="零部件，填入没有写明的行。", en="The part, where a row names none.", metavar="PART"),
        option("--maker", zh="生产厂家，填入没有写明的行。", en="The maker, where a row names none.", metavar="ORG"),
        option("--lot", zh="批次，填入没有写明的行。", en="The lot, where a row names none.", metavar="LOT"),
        option(
            "--out", zh="写到这个新文件（CSV）。", en="Write the life records to this new CSV file.",
            type=click.Path(path_type=Path), metavar="FILE",
        ),
    ],
)  # fmt: skip
def lives(
    session: Session,
    file: Path,
    shape: Any,
    population: Path | None,
    until: str | None,
    ages: Any,
    usage: float | None,
    unit: str,
    factor: Any,
    out: Path | None,
    **named: str | None,
) -> None:
    """Status 1 when a row was refused, also where the rest was taken."""
    from chaingraph import ChaingraphError
    from ingest.shapes import month_of
    from server.cli.lives import How, read

    end = None if until is None else month_of(until)
    if until is not None and end is None:
        raise click.BadParameter(session.say(Text("请写成 2025-03。", "Write it as 2025-03.")), param_hint="--until")
    how = How(ages, usage, unit if usage else None, factor)
    found = read(file, shape=shape, population=population, until=end, how=how)
    if out is not None:
        _write(_named(found.frame, named), out)
    _tell(session, found, out)
    if found.refused:
        raise ChaingraphError(
            "lives.refused",
            Text(f"拒收：{found.refused} 处。其余已收下。", f"Refused: places {found.refused}. The rest was taken."),
            Text("请按报告更正。", "Correct what the report lists."),
        )


def _named(frame: pl.DataFrame, named: dict[str, str | None]) -> pl.DataFrame:
    """The records with part, maker and lot filled in where they are not said."""
    import polars as pl

    from chaingraph import ChaingraphError

    for name, value in named.items():
        said = pl.col(name) if name in frame.columns else pl.lit(None, pl.String)
        if value is not None:
            frame = frame.with_columns(said.fill_null(value).alias(name))
    if "part" not in frame.columns or frame["part"].null_count():
        raise ChaingraphError(
            "lives.no_part",
            Text("有的行没有零部件编码。", "Some rows name no part."),
            Text("请用 --part 给出。", "Name it with --part."),
        )
    return frame


def _write(frame: pl.DataFrame, out: Path) -> None:
    """The records in the columns of a dataset folder; a file that is there stays."""
    from schema import KINDS

    columns = [name for name in KINDS["life_record"].fields if name in frame.columns]
    with out.open("xb") as file:
        frame.select(columns).write_csv(file, include_bom=True)


def _tell(session: Session, found: Lives, out: Path | None) -> None:
    from analytics.core import digits
    from ingest.report import Report

    frame = found.frame
    failed = frame.filter(frame["event"] != "suspension")
    oldest = max((value for name in ("age", "age_to") if isinstance(value := frame[name].max(), float)), default=None)
    units = frame["unit"].drop_nulls().unique().sort().to_list() if "unit" in frame.columns else []
    payload: dict[str, Any] = {
        "shape": found.shape, "records": frame.height, "units": int(frame["count"].sum()),
        "failures": int(failed["count"].sum()), "oldest": digits(oldest), "unit": units[0] if len(units) == 1 else None,
        "refused": found.refused, "out": None if out is None else str(out),
        "findings": [each.to_row(session.locale) for each in found.findings],
    }  # fmt: skip
    cells = [session.say(SHAPES[found.shape]), *(payload[name] for name in list(_SUMMARY)[1:])]
    session.answer(payload, [session.say(each) for each in _SUMMARY.values()], [cells])
    if session.format != "table":
        return
    if found.findings:
        output.line()
        headings = [session.say(each) for name, each in FINDINGS.items() if name != "remedy"]
        output.table(headings, gathered(Report(findings=list(found.findings)), session.locale)[:LISTED])
    output.line()
    if out is None:
        output.line(session.say(Text("试运行：没有写出文件（--out）。", "Dry run: no file was written (--out).")))
    else:
        output.line(session.say(Text(f"已写出 {out}。", f"Written to {out}.")))
