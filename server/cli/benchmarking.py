"""`benchmark`: a pooled figure, what was released, and releasing the next ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from schema.vocabularies import Purpose
from server.cli.command import Command, Group, Said, command, option
from server.cli.demo import mark
from server.cli.session import Session

if TYPE_CHECKING:
    from chaingraph import Actor, Workspace

DATE = click.DateTime(["%Y-%m-%d"])
_HEADINGS = [
    Text("联合体", "Consortium"), Text("发布日期", "Released"), Text("指标", "Metric"), Text("类别", "Class"),
    Text("机理", "Mechanism"), Text("企业数", "Firms"), Text("均值", "Mean"), Text("下限", "Low"), Text("上限", "High"),
    Text("未发布原因", "Refused"),
]  # fmt: skip
_FIGURES = ("metric", "part_class", "mechanism", "contributors", "value", "low", "high")
_DRY = Text("仅试算，未发布。", "Tried only: nothing was released.")


def _actor(session: Session, workspace: Workspace) -> Actor:
    """Whoever sits at the machine of the store, for the organisation whose eyes were asked for."""
    from chaingraph import Actor

    viewer = session.seen(workspace).viewer  # an organisation that there is
    return Actor(viewer, purpose=Purpose[session.purpose.upper()], account="command-line")


_PARAMS = [
    option("--class", "part_class", zh="零部件类别。", en="Class of parts.", required=True, metavar="CLASS"),
    option("--mechanism", zh="只计该失效机理及其下级。", en="Failures by this mechanism only.", metavar="CODE"),
    option("--region", zh="只计该地区的企业。", en="Of firms in this region only.", metavar="REGION"),
    option("--tier", zh="只计该层级的企业。", en="Of firms of this tier only.", type=int, metavar="N"),
    option("--year", zh="只计该年。", en="Of this year only.", type=int, metavar="YEAR"),
    option(
        "--statistic",
        zh="当场计算均值或合计。",
        en="Compute a mean or a sum.",
        type=click.Choice(["mean", "sum"]),
    ),
    option(
        "--epsilon",
        zh="加噪的均值，隐私损失为 ε；仅限大样本。",
        en="A mean with noise, of this privacy loss; for large pools.",
        type=float,
        metavar="EPSILON",
    ),
    option(
        "--between",
        zh="加噪时数值的先验上下限。",
        en="Bounds of values for --epsilon, not taken from the data.",
        type=float,
        nargs=2,
        metavar="LOW HIGH",
    ),
]


def figure(name: str, text: Text) -> Command:
    """The command of one metric."""

    @command(
        name,
        zh=(
            f"{text.zh}的对标值：均值、区间、企业间离散，以及自身所处位置。\n\n"
            "不加筛选时为已发布的值；加筛选或 --statistic 时当场计算，前提是不能由此推算出任何一家的数据。"
        ),
        en=(
            f"{text.en} of the consortium's firms: its mean with an interval, how they differ, one's own place.\n\n"
            "Without filters it is what was released; with them, or with --statistic, it is computed, if nobody's "
            "figure can be solved for with it and all answers given before."
        ),
        params=_PARAMS,
        reads=True,
    )
    def answer(session: Session, **given: Any) -> None:
        show(session, name, **given)

    return answer


def show(
    session: Session,
    metric: str,
    part_class: str,
    mechanism: str | None,
    region: str | None,
    tier: int | None,
    year: int | None,
    statistic: str | None,
    epsilon: float | None,
    between: tuple[float, float] | None,
) -> None:
    """The answer, or why there is none."""
    from analytics.pooling.asking import BenchmarkFilter, Noise, ask_benchmark, compute_benchmark

    if (epsilon is None) != (between is None):
        raise click.UsageError("--epsilon and --between go together")
    if epsilon is not None and statistic == "sum":
        raise click.UsageError("--epsilon gives a mean")
    with session.workspace(existing=True) as workspace:
        actor = _actor(session, workspace)
        if all(each is None for each in (epsilon, statistic, region, tier, year)):
            found = ask_benchmark(workspace, actor, metric, part_class, mechanism)
        else:
            noise = Noise(epsilon, *between) if epsilon is not None and between is not None else None
            found = compute_benchmark(
                workspace, actor, metric, part_class, mechanism, where=BenchmarkFilter(region, tier, year),
                statistic=statistic or "mean", noise=noise,
            )  # fmt: skip
        mark(session, workspace.view())
    session.answer(found.payload(session.locale), *found.rows(session.locale))


@command(
    "release",
    zh="计算并发布联合体的对标值；此后每位成员看到的完全相同，直至下次发布。",
    en=(
        "Compute and release the figures of a consortium; until the next release every member is given the same.\n\n"
        "Listed are the cells with enough firms, and which of them are refused, and why."
    ),
    params=[
        option("--consortium", zh="只发布该联合体；缺省为全部。", en="Of this consortium; of all else.", metavar="ID"),
        option("--on", zh="发布日期；缺省为今天。", en="Day of the release; today else.", type=DATE, metavar="DATE"),
        option("--dry-run", "dry", is_flag=True, zh="只试算，不发布。", en="Only try; nothing is released."),
    ],
    reads=True,
)
def release(
    session: Session,
    consortium: str | None,
    on: dt.datetime | None,
    dry: bool,  # a flag
) -> None:
    """What was released, cell by cell."""
    from analytics.pooling.releases import release as run

    with session.workspace(existing=True) as workspace:
        found = run(workspace, _actor(session, workspace), on.date() if on else None, consortium=consortium, dry=dry)
        mark(session, workspace.view())
    _answer(session, [(each.consortium, each.on, cell) for each in found for cell in each.cells.values()])
    if dry:
        session.note(_DRY)


@command(
    "list",
    zh="列出已发布的对标值。",
    en="List what has been released.",
    reads=True,
)
def listed(session: Session) -> None:
    """The newest releases that the organisation is entitled to."""
    from analytics.pooling.releases import released

    with session.workspace(existing=True) as workspace:
        found = released(workspace, _actor(session, workspace))
        mark(session, workspace.view())
    _answer(session, [(each.consortium, each.on, cell) for each in found for cell in each.cells.values()])


def _answer(session: Session, cells: list[tuple[str, str, Any]]) -> None:
    from analytics.pooling.answers import refusal

    rows: list[list[Any]] = []
    for consortium, on, cell in sorted(
        cells, key=lambda each: (each[0], *(each[2][name] or "" for name in _FIGURES[:3]))
    ):
        reason = refusal(cell["refused"]).text.say(session.locale) if "refused" in cell else None
        rows.append([consortium, on, *(cell.get(name) for name in _FIGURES), reason])
    names = ["consortium", "released", *_FIGURES, "refused"]
    session.answer(
        [dict(zip(names, row, strict=True)) for row in rows], [session.say(each) for each in _HEADINGS], rows
    )


class _Benchmark(Group):
    """The commands by name: one for each metric, made when one is asked for, so that others start quickly."""

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """All of them."""
        from analytics.pooling.values import METRICS

        found: list[click.Command] = [figure(each.name, each.text) for each in METRICS.values()]
        return {str(each.name): each for each in [*found, release, listed]}

    @commands.setter
    def commands(self, commands: MutableMapping[str, click.Command]) -> None:
        """What click sets at the start is nothing."""


benchmark = _Benchmark(
    "benchmark",
    help=Said(
        Text(
            "联合体对标：失效率、寿命参数、不良率和交期的汇总值。\n\n"
            "chaingraph benchmark METRIC --class CLASS 给出一项。",
            "Figures pooled over the consortium: failure rates, life parameters, defect rates, lead times.\n\n"
            "chaingraph benchmark METRIC --class CLASS gives one.",
        )
    ),
)
