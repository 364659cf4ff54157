"""How far a long run is: a bar on a terminal, a line per step elsewhere; always on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from schema.text import Text
from server.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Steps:
    """The steps of a run, one after the other; a step may be told how much of it is done."""

    def __init__(self, locale: str, bar: Progress | None = None, *, quiet: bool = False) -> None:
        self._locale = locale
        self._bar = bar
        self._quiet = quiet
        self._task: TaskID | None = None
        self._name = ""

    def step(self, text: Text | str) -> None:
        """Begin a step; the one before is done."""
        name = text.say(self._locale) if isinstance(text, Text) else text
        if name == self._name:
            return
        self._name = name
        if self._bar is None:
            if not self._quiet:
                sys.stderr.write(name + " …\n")
            return
        if self._task is not None:
            self._bar.update(self._task, total=1, completed=1)
        self._task = self._bar.add_task(name, total=None)

    def at(self, done: int, total: int | None = None) -> None:
        """So much of the step is done."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def steps(locale: str) -> Iterator[Steps]:
    """Show the steps of a run."""
    if not sys.stderr.isatty():
        yield Steps(locale)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(bar_width=24))
    with Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn(), console=output.console(error=True)) as bar:
        shown = Steps(locale, bar)
        yield shown
        shown.at(1, 1)
