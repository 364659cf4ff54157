"""Following a store: the graph at any revision."""

from __future__ import annotations

from pathlib import Path

from polars.testing import assert_frame_equal

from chaingraph.changes import ChangeSet
from chaingraph.following import snapshot_at
from chaingraph.snapshot import Snapshot
from schema import KINDS
from tests.chaingraph.world import change, line, machine, opened, part, rows


def test_the_graph_at_any_revision_is_what_the_journal_made_up_to_there(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        workspace.submit(change(part=rows("part", part("C"))))
        workspace.snapshot().write(workspace.store.snapshots)
        workspace.submit(ChangeSet(delete={"contains": rows("contains", line("M", "B"))["key"]}, by="L01"))
        store = workspace.store
        with store.writing():
            store.commit(ChangeSet({"part": rows("part", part("D"))}, by="L01", load="l", last=False))
        for revision in range(5):
            found, wanted = snapshot_at(store, revision), Snapshot.empty().apply(store.journal(0, revision))
            assert (found.revision, found.digest) == (revision, wanted.digest)
            for name in KINDS:
                assert_frame_equal(found.table(name), wanted.table(name))
        assert snapshot_at(store, 2).folder is not None, "taken from the folder"
        assert snapshot_at(store, 4).table("part")["number"].to_list() == ["A", "B", "C", "D", "M"]
