"""`trace`: what is reached from lots, parts or firms along a relation, walked in the store."""

from __future__ import annotations

import click

from schema import KINDS
from schema.text import Text
from server.cli.command import argument, command, option
from server.cli.demo import mark
from server.cli.session import Session

RELATIONS = [name for name, each in KINDS.items() if each.relation]


@command(
    "trace",
    zh=(
        "从批次、零部件或组织出发，沿一种关系逐层追溯。\n\n"
        "缺省：批次追到其流入的批次，零部件追到其组成，组织追到其供应；用 --direction in 反向追溯。"
    ),
    en=(
        "Walk from lots, parts or organisations along a relation, level by level.\n\n"
        "Unless told otherwise: from a lot to the lots it went into, from a part to what it is made of, from an "
        "organisation to what it supplies; --direction in walks back."
    ),
    params=[
        argument("things", metavar="ID…", nargs=-1, required=True),
        option("--along", zh="沿哪种关系。", en="Along which relation.", type=click.Choice(RELATIONS)),
        option(
            "--direction", zh="顺着（out）或逆着（in）关系。", en="From the relation's start to its end, or back.",
            type=click.Choice(["out", "in"]),
        ),
        option("--depth", zh="最多几层。", en="At most so many levels.", type=click.IntRange(1), metavar="N"),
    ],
    reads=True,
)  # fmt: skip
def trace(
    session: Session, things: tuple[str, ...], along: str | None, direction: str | None, depth: int | None
) -> None:
    """The starts, then what is reached, nearest first."""
    from chaingraph import trace as walk

    with session.workspace(existing=True) as workspace:
        view = session.seen(workspace)
        found = walk(workspace, view, things, along, direction, depth)
        mark(session, view)
    headings = [Text("层", "Depth"), Text("键", "Key"), Text("名称", "Label")]
    rows = [(each.depth, each.key, each.label.say(session.locale)) for each in found.things]
    payload = {
        "along": found.along,
        "direction": found.direction,
        "things": [{"depth": depth, "key": key, "label": label} for depth, key, label in rows],
    }
    session.answer(payload, [session.say(each) for each in headings], [list(row) for row in rows])
