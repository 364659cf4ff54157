"""The page on the command line, `docs/command-line.md`, written from the commands: `python -m server.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from server.cli import main
from server.cli.command import Said, common

FILE = Path(__file__).parent.parent.parent / "docs" / "command-line.md"

_OPENING = """\
# Command line 命令行

Written from the commands by `python -m server.cli.reference`; a test holds the two equal.
由命令的声明生成，测试保证两者一致。

Answers go to standard output, everything else (progress, notes, errors) to standard error. The exit status is 0 on
success, 1 when input was refused (the code, what is the matter and what to do about it are on standard error), and 2
when the command was used wrongly. `load` ends with 1 when any file, sheet, column or row was refused, also where the
good rows were taken, as its last line then says; warnings, and rows kept because there is no kind for them yet, are no
refusal.

退出码：0 成功；1 输入被拒收（有任何一行被拒收即为 1，其余各行仍可能已收下）；2 用法错误。
"""


def markdown() -> str:
    """The page: what all commands take, then each."""
    lines = [_OPENING, "## All commands take 通用选项\n", *_options(common())]
    shared = {each.name for each in common()}
    for name, command in each_command():
        lines.append(f"\n## {name}\n")
        lines.append(f"```sh\n{_usage(name, command)}\n```\n")
        lines.append(_both(command.help, "\n\n"))
        own = [each for each in command.params if isinstance(each, click.Option) and each.name not in shared]
        if own:
            lines += ["", *_options(own)]
        default = next(each.default for each in command.params if each.name == "format")
        if default != "table":
            lines.append(f"\nThe form of the answer is `{default}` where `--format` is not given.")
    return "\n".join(lines) + "\n"


def each_command() -> Iterator[tuple[str, click.Command]]:
    """All commands by their names, those of a group one by one."""
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", command.commands[each]) for each in command.commands)
        else:
            yield name, command


def _usage(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"chaingraph {name}")
    pieces = [each for each in command.collect_usage_pieces(context) if each != "[OPTIONS]"]
    return " ".join(["chaingraph", name, *pieces])


def _options(options: list[click.Option] | list[click.Parameter]) -> list[str]:
    rows = ["| option 选项 | meaning | 说明 |", "| --- | --- | --- |"]
    for each in options:
        assert isinstance(each, click.Option)
        names = ", ".join(each.opts)
        if not each.is_flag:
            metavar = each.make_metavar(click.Context(main))
            names += " " + metavar.strip("[]").replace("|", "\\|")
        text = each.help.text if isinstance(each.help, Said) else None
        default = f" Default: `{each.default}`." if each.show_default and each.default is not None else ""
        variable = f" Environment: `{each.envvar}`." if each.envvar else ""
        rows.append(f"| `{names}` | {text.en if text else each.help}{default}{variable} | {text.zh if text else ''} |")
    return rows


def _both(text: str | None, between: str) -> str:
    return f"{text.text.en}{between}{text.text.zh}" if isinstance(text, Said) else text or ""


if __name__ == "__main__":
    FILE.write_text(markdown(), encoding="utf-8")
