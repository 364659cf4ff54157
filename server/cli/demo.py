"""`demo`: the made-up consortium is loaded, and what fails most and the weak links of its two products are shown."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.text import Text
from server.cli import output
from server.cli.command import command
from server.cli.loading import teller
from server.cli.progress import Steps, steps
from server.cli.session import Session, program

if TYPE_CHECKING:
    from analytics.contributions import Contributions
    from chaingraph import View, Workspace

BY = "demo"
"""Who brings the demo's uploads: by this it is known that a store holds invented data."""
PRODUCTS = ("L01/VMC850", "L02/EDU150")
MOST, WEAKEST, HIDDEN = 5, 12, 2
"""Rows shown of what fails most, of the weak links, and of those that a leader knows by a pseudonym."""
BENCHMARK = ("L01", "lead_time", "mech_part")
"""Who asks for which benchmark: leader, metric, class of parts."""

SYNTHETIC = Text(
    "全部为合成数据：企业、零部件和数值均为虚构，与任何真实单位无关。",
    "All data here are synthetic: every firm, part and figure is invented and has nothing to do with any real one.",
)


@command(
    "demo",
    zh="载入示例联合体（合成数据），并给出两种产品的主要故障来源和薄弱环节。\n\n再运行一次不改变任何内容。",
    en=(
        "Load the demo consortium (synthetic data) and show what fails most and the weak links of its two products.\n\n"
        "Running it again changes nothing."
    ),
)
def demo(session: Session) -> None:
    """Make the dataset, load it, ask."""
    with session.workspace() as workspace:
        with steps(session.locale) as shown:
            refuse_others(workspace)
            load(workspace, shown)
        report(session, workspace.view())
        if session.format == "table":
            show_sharing(session, workspace)
            say_next(session)


def refuse_others(workspace: Workspace) -> None:
    """Raises ChaingraphError where the store holds data of somebody's own: invented facts do not go among them."""
    from chaingraph import ChaingraphError

    by = workspace.view().table("upload")["by"]
    if len(by) and BY not in by:
        raise ChaingraphError(
            "demo.others",
            Text(
                "该存储已有其他数据，示例（合成数据）不混入其中。",
                "The store holds other data; the demo's are invented.",
            ),
            Text(
                "请用 --store sqlite:///demo.db 指定另一个存储。",
                "Name another store for the demo: --store sqlite:///demo.db.",
            ),
        )


def load(workspace: Workspace, shown: Steps | None = None) -> None:
    """Make the demo dataset and load it, as the demo's own upload; what is there already stays as it is."""
    from analytics.pooling.releases import release, released
    from chaingraph import Actor
    from fixtures.demo import write
    from ingest.load import load as load_files

    shown = shown or Steps("en", quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        shown.step(Text("生成三年的合成记录", "Making up three years of records"))
        write(Path(folder))
        load_files(workspace, [Path(folder)], by=BY, administrator=True, progress=teller(shown))
    if not released(workspace, Actor()):
        release(workspace, Actor(account=BY))


def mark(session: Session, view: View) -> None:
    """Say that the data are synthetic, where a store holds the demo's."""
    if BY in view.table("upload")["by"]:
        session.note(SYNTHETIC)


def report(session: Session, view: View) -> None:
    """What fails most and the weak links, of each product."""
    from analytics import run
    from chaingraph import naming

    found = []
    for product in PRODUCTS:
        weak = run("weak_links", view, {"product": product, "top": WEAKEST})
        most = run("contributions", view, {"product": product, "mission": weak.mission})
        found.append((product, most, weak))
    locale = session.locale
    if session.format == "json":
        answers = [
            {"product": product, "contributions": most.payload(locale), "weak_links": weak.payload(locale)}
            for product, most, weak in found
        ]
        output.json({"synthetic": True, "store": session.store, "products": answers})
        return
    if session.format == "csv":
        tables = [(product, *weak.rows(locale)) for product, _, weak in found]
        heading = session.say(Text("产品", "Product"))
        output.csv([heading, *tables[0][1]], [[product, *row] for product, _, rows in tables for row in rows])
        return
    output.line(session.say(SYNTHETIC))
    for product, most, weak in found:
        name = naming.label(view, "part", naming.part(view, product), locale)
        title = Text("最常失效的是什么（{hours:,.0f} 小时）", "What fails most, in {hours:,.0f} hours")
        output.line()
        headings, rows = what_fails(session, most)
        output.table(headings, rows, f"{name} · {session.say(title.format(hours=most.mission))}")
        output.line()
        headings, rows = weak.rows(locale)
        output.table(headings, rows, f"{name} · {session.say(Text('薄弱环节', 'Weak links'))}")


def show_sharing(session: Session, workspace: Workspace) -> None:
    """What the two leaders see by their agreements, where that is less than all: firms they know by a pseudonym only,
    and a benchmark of the consortium.
    """
    from analytics import ask_benchmark, run
    from chaingraph import Actor, naming
    from chaingraph.masking import PSEUDONYM

    for product in PRODUCTS:
        leader = product.split("/")[0]
        view = workspace.view(leader)
        found = run("weak_links", view, {"product": product, "kind": "supply", "top": WEAKEST})
        hidden = [link for link in found.links if PSEUDONYM.match(link.label.en)]
        shown = found.model_copy(update={"links": tuple(hidden[:HIDDEN])})
        title = Text(
            "{leader} 按共享协议所见：下级供应商只有化名，但可见其独家",
            "What {leader} sees by its agreements: suppliers of suppliers by pseudonyms, and that all hangs on one",
        )
        headings, rows = shown.rows(session.locale)
        output.line()
        name = naming.label(view, "part", naming.part(view, product), session.locale)
        output.table(headings, rows, f"{name} · {session.say(title.format(leader=leader))}")
    leader, metric, part_class = BENCHMARK
    pooled = ask_benchmark(workspace, Actor(leader), metric, part_class)
    headings, rows = pooled.rows(session.locale)
    title = Text("联合体对标：{part_class} 类零部件的交期", "Benchmark of the consortium: lead time of {part_class}")
    output.line()
    output.table(headings, rows, session.say(title.format(part_class=part_class)))


def what_fails(session: Session, found: Contributions) -> tuple[list[str], list[list[Any]]]:
    """The first of the contributions as a narrow table: headings and rows."""
    interval = Text(f"预计失效数（{found.level:.0%} 区间）", f"Expected failures ({found.level:.0%} interval)")
    headings = [Text("零部件", "Part"), Text("制造商", "Maker"), Text("失效模式", "Failure mode"), interval]
    rows = [
        [
            each.part_label.say(session.locale),
            each.maker,
            each.mode_label.say(session.locale),
            " ".join(
                [
                    output.shown(each.failures.value),
                    f"({output.shown(each.failures.low)} – {output.shown(each.failures.high)})",
                ]
            ),
        ]
        for each in found.contributions[:MOST]
    ]
    return [session.say(each) for each in headings], rows


def say_next(session: Session) -> None:
    """What to type next, and where the data are."""
    first = PRODUCTS[0].split("/")[1]
    evidence = Text("第一条的证据，以及下一步做什么：", "The evidence behind the first, and what to do next:")
    served = Text("GraphQL、数据表和控制台：", "GraphQL, tables and GraphiQL on this machine:")
    output.line()
    output.line(session.say(evidence))
    output.line(f"  {program()} weak-links {first} --explain 1{session.store_option}")
    output.line(session.say(served))
    output.line(f"  {program()} serve --open{session.store_option}")
    where = Text(
        "数据在 {store}（合成数据；自己的数据请用另一个存储）。",
        "The data are at {store} (synthetic: keep your own in another store).",
    )
    output.line(session.say(where.format(store=session.store)))
