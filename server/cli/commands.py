"""The group of all commands. Those of analyses are made when one is asked for, so that the others start quickly."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import click

from schema.text import Text
from server.cli.agreeing import agreements
from server.cli.auditing import audit
from server.cli.benchmarking import benchmark
from server.cli.command import Said, in_language
from server.cli.comparing import compare
from server.cli.converting import lives
from server.cli.demo import demo
from server.cli.exchanging import exchange
from server.cli.exporting import export
from server.cli.fitting import fit
from server.cli.forecasting import forecast
from server.cli.growing import growth
from server.cli.identifying import identities
from server.cli.loading import load, template, undo
from server.cli.planning import plan_test
from server.cli.received import upload_show, uploads, withdraw
from server.cli.serving import serve
from server.cli.settling import settle
from server.cli.storing import store
from server.cli.tokens import account, token, tokens
from server.cli.tracing import trace
from server.cli.uploading import upload
from server.cli.watching import watch

BEFORE = (demo, load, undo, upload, uploads, upload_show, withdraw, watch)
AFTER = (fit, compare, forecast, growth, lives, plan_test, benchmark, trace, template, export, exchange)
SERVED = (serve, agreements, settle, identities, token, tokens, account, audit, store)


class Main(click.Group):
    """The commands, in the order in which one needs them; an analysis gives one by its registration."""

    def __init__(self, **attributes: Any) -> None:
        self._known: dict[str, click.Command] | None = None
        super().__init__(**attributes)

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """All commands by name."""
        if self._known is None:
            from server.cli.analyses import commands

            self._known = {str(each.name): each for each in (*BEFORE, *commands(), *AFTER, *SERVED)}
        return self._known

    @commands.setter
    def commands(self, commands: MutableMapping[str, click.Command]) -> None:
        """What click sets at the start is nothing: the commands come when they are asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; None where there is none."""
        known = next((each for each in (*BEFORE, *AFTER, *SERVED) if each.name == cmd_name), None)
        return known or super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in the order in which one needs them."""
        return list(self.commands)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What the program is for, in the language of the environment."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(in_language(self.help, None) or "")


main = Main(
    name="chaingraph",
    help=Said(
        Text(
            "供应链可靠性图谱：物料清单、供应商、批次和失效数据进来，产品的薄弱环节连同理由和区间出去。",
            "A supply-chain graph with reliability in it: bills of materials, suppliers, lots and failure records go "
            "in; the weak links of a product come out, with reasons and intervals.",
        )
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
