"""A disk that is full, under a load into the default store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import chaingraph.workspace
from chaingraph import StoreError, Workspace
from chaingraph.store.verify import verify
from ingest.load import load
from tests.ingest.files import text
from tests.ingest.test_kill import state


class Disk:
    """The most pages that a store's file may have; SQLite says of more what it says of a full disk."""

    pages = 0

    def limited(self, connection: apsw.Connection) -> None:
        """Set the limit of a new connection."""
        if self.pages:
            connection.execute(f"PRAGMA max_page_count = {self.pages}")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk that can be made full."""
    made = Disk()
    apsw.connection_hooks.append(made.limited)
    yield made
    apsw.connection_hooks.remove(made.limited)


@pytest.mark.parametrize(("room", "commits"), [(1, 0), (30, 3)])
def test_a_load_on_a_full_disk_leaves_the_store_as_it_was_and_works_when_there_is_room(
    tmp_path: Path, disk: Disk, room: int, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`room` pages are free: the first commit of the load fails, or one after at least so many `commits`."""
    monkeypatch.setattr(chaingraph.workspace, "COMMIT_ROWS", 150)
    first, second = text(tmp_path, "parts.csv", "number,name_zh\nP0,零件\n"), tmp_path / "more"
    second.mkdir()
    text(second, "parts.csv", "number,name_zh\n" + "".join(f"P{i},零件{i}\n" for i in range(1000)))
    text(second, "contains.csv", "parent,child,quantity\n" + "".join(f"P{i},P{i + 7},2\n" for i in range(1000)))
    with Workspace.open(f"sqlite:///{tmp_path / 'clean.db'}") as clean:
        load(clean, [first], by="L01")
        load(clean, [second], by="L01")
        expected = state(clean)
    url = f"sqlite:///{tmp_path / 'graph.db'}"
    with Workspace.open(url) as workspace:
        load(workspace, [first], by="L01")
        before = state(workspace)
    pages = apsw.Connection(str(tmp_path / "graph.db")).execute("PRAGMA page_count").get
    disk.pages = pages + room
    with Workspace.open(url) as workspace:
        with pytest.raises(StoreError) as found:
            load(workspace, [second], by="L01")
        assert found.value.code == "store.full"
        assert workspace.store.head().revision >= 1 + commits
        assert state(workspace) == before
    with Workspace.open(url) as workspace:
        assert state(workspace) == before
    disk.pages = 0
    with Workspace.open(url) as workspace:
        load(workspace, [second], by="L01")
        assert state(workspace) == expected
        assert verify(workspace.store) is None
