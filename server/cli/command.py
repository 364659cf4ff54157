"""Commands that speak both languages, take the options that all take, and end with the exit status that fits.

Status 0 is success, 1 refused input (code, text and remedy on standard error), 2 wrong usage.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import click

from schema.text import Text
from schema.vocabularies import Purpose
from server.cli.session import STORE, Session, environment_locale

FORMATS = ("table", "json", "csv")


class Said(str):
    """An English text that knows its Chinese; help is given in the language of the call."""

    __slots__ = ("text",)
    text: Text

    def __new__(cls, text: Text) -> Self:
        """From a text in both languages."""
        said = super().__new__(cls, text.en)
        said.text = text
        return said


def in_language(text: str | None, context: click.Context | None) -> str | None:
    """A text of help in the language of the call: that of `--lang` where it came before `--help`, else the
    environment's.
    """
    if not isinstance(text, Said):
        return text
    chosen = context.params.get("lang") if context else None
    return text.text.say(chosen or environment_locale())


class Option(click.Option):
    """An option whose help is in both languages."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help, in the language of the call."""
        translated = copy.copy(self)
        translated.help = in_language(self.help, ctx)
        return click.Option.get_help_record(translated, ctx)


class _Bilingual(click.Command):
    """What has its help in both languages."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Always both: click keeps a command's help option as it first was, below the group or by itself."""
        return ["-h", "--help"]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's text, in the language of the call."""
        translated = copy.copy(self)
        translated.help = in_language(self.help, ctx)
        click.Command.format_help_text(translated, ctx, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002  # click's signature
        """The first sentence, whole, in the language of the environment."""
        text = in_language(self.help, None) or ""
        return text.split("\n")[0].split(". ")[0].split("。")[0].rstrip(".")


class Command(_Bilingual):
    """A command whose help is in both languages."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note `--lang` before anything else, so that `--help --lang zh` works, too."""
        if "--lang" in args[:-1]:
            ctx.params["lang"] = args[args.index("--lang") + 1]
        return super().parse_args(ctx, args)


class Group(_Bilingual, click.Group):
    """Commands under one name, whose help is in both languages."""


def option(*names: str, zh: str, en: str, **attributes: Any) -> Option:
    """An option with its help in both languages."""
    made = Option(list(names), **attributes)
    made.help = Said(Text(zh, en))
    return made


def argument(name: str, **attributes: Any) -> click.Argument:
    """An argument, shown by its name in capitals."""
    return click.Argument([name], **attributes)


def common(default_format: str = "table") -> list[click.Parameter]:
    """The options that every command takes."""
    return [
        option(
            "--store", zh="存储地址：sqlite:///路径 或 neo4j://主机:端口/数据库。",
            en="Address of the store: sqlite:///path, or neo4j://host:port/database.",
            default=STORE, envvar="CHAINGRAPH_STORE", show_envvar=True, show_default=True, metavar="URL",
        ),
        option(
            "--lang", zh="语言；缺省取环境的区域设置。", en="Language; the environment's locale where not given.",
            type=click.Choice(["zh", "en"]), is_eager=True,
        ),
        option(
            "--format", zh="输出形式。", en="Form of the answer.",
            type=click.Choice(FORMATS), default=default_format, show_default=True,
        ),
    ]  # fmt: skip


def seen_as() -> list[click.Parameter]:
    """The options that say with whose eyes the graph is seen, and for what."""
    return [
        option(
            "--as", "viewer", zh="以该组织的视角查看（按共享协议）；缺省为管理员，可见全部。",
            en="See what this organisation may see, by its agreements; the administrator's eyes where not given.",
            default="", metavar="ORG",
        ),
        option(
            "--purpose", zh="查看的用途。", en="For which purpose, with --as.",
            type=click.Choice(Purpose.codes()), default=Purpose.QUALITY.value, show_default=True,
        ),
    ]  # fmt: skip


def group(name: str, commands: Sequence[click.Command], *, zh: str, en: str) -> Group:
    """Commands under one name."""
    return Group(name, commands=commands, help=Said(Text(zh, en)))


def command(
    name: str, *, zh: str, en: str, params: Sequence[click.Parameter] = (), default_format: str = "table",
    stores: bool = False, reads: bool = False,
) -> Callable[[Callable[..., None]], Command]:  # fmt: skip
    """Make the decorated function `(session, **given)` a command; one whose arguments are `stores` has no `--store`.

    One that `reads` the graph can do so with the eyes of an organisation.
    """

    def make(function: Callable[..., None]) -> Command:
        def callback(
            lang: str | None,
            format: str,  # noqa: A002  # the option's name
            store: str = "",
            viewer: str = "",
            purpose: str = "quality",
            **given: Any,
        ) -> None:
            session = Session(store, lang or environment_locale(), format, viewer, purpose)
            with refusals(session):
                function(session, **given)

        shared = [each for each in common(default_format) if not (stores and each.name == "store")]
        eyes = seen_as() if reads else []
        return Command(name, callback=callback, help=Said(Text(zh, en)), params=[*params, *eyes, *shared])

    return make


@contextmanager
def refusals(session: Session) -> Iterator[None]:
    """Tell a refusal on standard error, in the language of the call, and end with status 1."""
    from chaingraph.errors import ChaingraphError

    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a character shows a question mark
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        yield
    except ChaingraphError as error:
        click.echo(f"{error.code}: {error.say(session.locale)}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"file.{type(error).__name__}: {error.strerror}: {error.filename}", err=True)
        raise SystemExit(1) from None
