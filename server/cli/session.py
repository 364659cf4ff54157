"""What every command is told: which store, which language, which form of answer."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.text import Text
from server.cli import output

if TYPE_CHECKING:
    from chaingraph import View, Workspace

STORE = "sqlite:///.chaingraph/chaingraph.db"
"""The store where none is named: a file in a folder of the current folder, that can be seen and deleted."""


def environment_locale(environment: Mapping[str, str] = os.environ) -> str:
    """The language of the environment's locale, "zh" or "en": the first of LC_ALL, LC_MESSAGES and LANG that is set."""
    set_to = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if set_to.lower().startswith("zh") else "en"


def program(started: str | None = None) -> str:
    """How to call this program again, as its hints show it: the way it was started, so that they can be pasted.

    `started` is what the shell ran, sys.argv[0] by default.
    """
    path = Path(started or sys.argv[0])
    found = shutil.which("chaingraph")
    if path.parts[-2:] == ("server", "__main__.py"):
        return f"{shlex.quote(_shown(Path(sys.executable)))} -m server"
    if path.stem != "chaingraph" or (found is not None and Path(found).absolute() == path.absolute()):
        return "chaingraph"
    return shlex.quote(_shown(path))


def _shown(path: Path) -> str:
    """A path as one types it: from the current folder where it is below, else in full."""
    full, here = path.absolute(), Path.cwd()
    if not full.is_relative_to(here):
        return str(full)
    return f"./{full.name}" if full.parent == here else str(full.relative_to(here))


@dataclass(frozen=True)
class Session:
    """One call of a command. Answers go to standard output in `format`; everything else goes to standard error."""

    store: str
    locale: str
    format: str
    viewer: str = ""
    """The organisation whose eyes the graph is seen with; empty for the administrator's."""
    purpose: str = "quality"

    def say(self, text: Text) -> str:
        """A text in the language of the call."""
        return text.say(self.locale)

    @property
    def store_option(self) -> str:
        """What to add to a command so that it reads the same store, with a blank before it: nothing where it would."""
        same = self.store == os.environ.get("CHAINGRAPH_STORE", STORE)
        return "" if same else f" --store {shlex.quote(self.store)}"

    def note(self, text: Text) -> None:
        """Tell the person something that is no part of the answer."""
        sys.stderr.write(self.say(text) + "\n")

    def answer(self, payload: Any, headings: list[str], rows: list[list[Any]], title: str | None = None) -> None:
        """Give the answer: `payload` as JSON, or the rows as a table or as CSV."""
        if self.format == "json":
            output.json(payload)
        elif self.format == "csv":
            output.csv(headings, rows)
        else:
            output.table(headings, rows, title)

    @contextmanager
    def workspace(self, *, existing: bool = False, lazy: bool = False) -> Iterator[Workspace]:
        """The graph in the store, closed at the end; made where there is none, unless it must be `existing`.

        A remote store is reached at once, or with `lazy` at first use. Raises StoreError.
        """
        from chaingraph import StoreError, Workspace

        path = self.store.removeprefix("sqlite:///")
        if existing and path != self.store and not Path(path).exists():
            raise StoreError(
                "store.missing",
                Text(f"{self.store} 处还没有数据。", f"There is no data at {self.store} yet."),
                Text(
                    f"请先用 {program()} load 或 {program()} demo 载入，或用 --store 指明存储。",
                    f"Load some with {program()} load or {program()} demo, or name another store with --store.",
                ),
            )
        with Workspace.open(self.store, lazy=lazy) as workspace:
            yield workspace

    @contextmanager
    def view(self) -> Iterator[View]:
        """What there is to see in the store, which must exist."""
        with self.workspace(existing=True) as workspace:
            yield self.seen(workspace)

    def seen(self, workspace: Workspace) -> View:
        """What is seen with the eyes that were asked for. Raises NotFound for an organisation that there is not."""
        from chaingraph import naming

        whole = workspace.view()
        if not self.viewer:
            return whole
        naming.organisation(whole, self.viewer)
        return workspace.view(self.viewer, self.purpose)
