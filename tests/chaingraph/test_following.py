"""Following a store: the graph at any revision; a remote one in the background, with nobody waiting for the network."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from chaingraph import Conflict, Workspace
from chaingraph.changes import ChangeSet
from chaingraph.following import snapshot_at
from chaingraph.snapshot import Snapshot
from chaingraph.store import open_store
from schema import KINDS, Text
from tests.chaingraph.far import far, refused, until
from tests.chaingraph.world import change, line, machine, opened, part, rows
from tests.conformance.stores import STORES, Kept


@pytest.fixture(params=STORES, ids=lambda kept: kept.name)
def kept(request: pytest.FixtureRequest) -> Kept:
    """Where the store is: on this machine, forced to count as remote, or on a server."""
    found: Kept = request.param
    return found


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [each.name for each in set(threading.enumerate()) - before] == []


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


WRITER = """
import sys, time
from chaingraph import Workspace
from tests.chaingraph.world import change, part, rows
with Workspace.open(sys.argv[1]) as workspace:
    for number in sys.stdin:
        workspace.submit(change(part=rows("part", part(number.strip()))))
        print(time.monotonic(), flush=True)
"""


def test_what_another_process_commits_is_seen_within_a_second(tmp_path: Path, kept: Kept) -> None:
    workspace, store = far(tmp_path, kept=kept)
    with (
        workspace,
        subprocess.Popen(
            [sys.executable, "-c", WRITER, store.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer,
    ):
        workspace.start_following()
        until(lambda: refused(workspace) is None)
        assert writer.stdin is not None
        assert writer.stdout is not None
        took = []
        for count in range(1, 6):
            print(f"P{count}", file=writer.stdin, flush=True)
            committed = float(writer.stdout.readline())
            until(lambda count=count: workspace.view().count("part") == count)  # type: ignore[misc]
            took.append(time.monotonic() - committed)
        writer.stdin.close()
    assert statistics.median(took) < 1.0


def test_a_view_is_of_one_revision_and_never_of_an_older_one_than_the_last(tmp_path: Path, kept: Kept) -> None:
    workspace, _ = far(tmp_path, kept=kept)
    with workspace, Workspace(kept.open(tmp_path)) as writer:
        workspace.start_following(every=0.005)
        until(lambda: refused(workspace) is None)
        commits = 12

        def write() -> None:
            for i in range(commits):
                both = {
                    "part": rows("part", part(f"P{i:02}")),
                    "organisation": rows("organisation", {"id": f"O{i:02}"}),
                }
                writer.submit(change(**both))

        seen: set[int] = set()
        pause = threading.Event()

        def read() -> None:
            last = 0
            while last < commits:
                pause.wait(0.001)
                view = workspace.view()
                numbers = view.table("part")["number"].to_list()
                assert view.table("organisation")["key"].to_list() == [f"O{n[1:]}" for n in numbers]
                assert len(numbers) >= last
                last = len(numbers)
                seen.add(last)

        threads = [threading.Thread(target=each) for each in (write, read, read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert commits in seen
        assert len(seen) > 2


def test_nobody_waits_while_commits_are_taken_in(tmp_path: Path, kept: Kept) -> None:
    workspace, store = far(tmp_path, kept=kept)
    with workspace, Workspace(kept.open(tmp_path)) as writer:
        writer.submit(change(**machine()))
        workspace.start_following(every=0.01)
        until(lambda: refused(workspace) is None)
        store.blocked.add("journal")
        writer.submit(change(part=rows("part", part("Z"))))
        until(lambda: "journal" in store.waiting)
        for _ in range(3):
            assert workspace.view().count("part") == 3, "the one before is answered from"
        store.blocked.clear()
        until(lambda: workspace.view().count("part") == 4)


def test_without_an_answer_of_the_store_nothing_is_shown_until_it_answers_again(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chaingraph.following.STALE", 0.3)
    workspace, store = far(tmp_path, kept=kept)
    with workspace, Workspace(kept.open(tmp_path)) as writer:
        writer.submit(change(**machine()))
        workspace.start_following(every=0.01)
        until(lambda: refused(workspace) is None)
        for fault in ("cut", "blocked"):
            if fault == "cut":
                store.cut = True
            else:
                store.blocked.add("head")
            assert refused(workspace) is None, "for a moment what was heard last is good enough"
            assert until(lambda: refused(workspace) == "store.unreachable") < 2.0
            writer.submit(change(part=rows("part", part(f"during {fault}"))))
            assert refused(workspace) == "store.unreachable"
            store.cut = False
            store.blocked.clear()
            until(lambda: refused(workspace) is None)
            until(lambda fault=fault: f"during {fault}" in workspace.view().table("part")["number"])  # type: ignore[misc]
        assert caplog.text.count("The line is cut") == 1, "told once, not at every look"


def test_a_store_that_is_down_at_the_start_is_read_when_it_comes(tmp_path: Path, kept: Kept) -> None:
    with Workspace(kept.open(tmp_path)) as writer:
        writer.submit(change(**machine()))
    workspace, store = far(tmp_path, kept=kept)
    with workspace:
        store.cut = True
        workspace.start_following(every=0.01)
        assert refused(workspace) == "store.unreachable"
        assert not workspace.wait(0.05)
        store.blocked.add("journal")
        store.cut = False
        until(lambda: refused(workspace) == "store.starting")
        store.blocked.clear()
        assert workspace.wait(20)
        assert workspace.view().count("part") == 3


def test_a_workspace_sees_what_it_wrote_itself_at_once(tmp_path: Path, kept: Kept) -> None:
    workspace, _ = far(tmp_path, kept=kept)
    with workspace:
        workspace.start_following(every=3600)
        assert workspace.wait(20)
        for count in range(1, 4):
            workspace.submit(change(part=rows("part", part(f"P{count}"))))
            assert workspace.view().count("part") == count


def test_what_was_written_but_not_read_back_counts_as_written_and_no_view_is_without_it(
    tmp_path: Path, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    workspace, store = far(tmp_path, kept=kept)
    with workspace:
        workspace.submit(change(part=rows("part", part("A"))))
        workspace.start_following(every=0.01)
        until(lambda: refused(workspace) is None)
        with workspace.writing():
            revision = store.inner.commit(change(part=rows("part", part("B"))))
            store.cut = True
        assert revision == 2
        assert "could not be read back" in caplog.text
        assert refused(workspace) is not None
        store.cut = False
        until(lambda: refused(workspace) is None)
        assert workspace.view().count("part") == 2


def test_what_is_wrong_in_the_middle_of_a_load_is_told_though_it_cannot_be_taken_back(
    tmp_path: Path, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    workspace, store = far(tmp_path, kept=kept)
    with workspace, Workspace(kept.open(tmp_path)) as other:
        workspace.submit(change(**machine()))

        def fail() -> None:
            with workspace.writing():
                store.inner.commit(ChangeSet({"part": rows("part", part("X"))}, by="L01", load="l", last=False))
                store.cut = True
                raise Conflict("lock.lost", Text("锁丢了。", "The lock was lost."))

        with pytest.raises(Conflict) as told:
            fail()
        assert told.value.code == "lock.lost"
        assert "could not be taken back" in caplog.text
        assert other.store.head().open_load == "l"
        other.submit(change(part=rows("part", part("Y"))))
        assert other.store.head().open_load is None
        assert other.view().table("part")["number"].to_list() == ["A", "B", "M", "Y"], "the next to write took it back"


def test_a_store_that_was_set_back_to_another_past_is_read_anew(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    workspace, store = far(tmp_path)
    with workspace, opened(tmp_path) as writer, opened(backup) as restored:
        for each in (writer, restored):
            each.submit(change(part=rows("part", part("A"))))
        writer.submit(change(part=rows("part", part("LOST"))))
        workspace.start_following(every=0.01)
        until(lambda: refused(workspace) is None)
        assert workspace.view().table("part")["number"].to_list() == ["A", "LOST"]
        store.inner = restored.store  # fewer commits
        until(lambda: workspace.view().table("part")["number"].to_list() == ["A"])
        store.inner = open_store(writer.store.url)
        until(lambda: workspace.view().table("part")["number"].to_list() == ["A", "LOST"])
        for number in "BCD":
            restored.submit(change(part=rows("part", part(number))))
        store.inner.close()
        store.inner = restored.store  # more commits, and others
        until(lambda: workspace.view().table("part")["number"].to_list() == ["A", "B", "C", "D"])


def test_what_was_asked_before_is_ready_when_a_newer_snapshot_is_shown(tmp_path: Path, kept: Kept) -> None:
    workspace, _ = far(tmp_path, kept=kept)
    with workspace, Workspace(kept.open(tmp_path)) as writer:
        writer.submit(change(**machine()))
        workspace.start_following(every=0.01)
        until(lambda: refused(workspace) is None)
        before = workspace.view()
        before.ref("contains", "child")
        before.inverse("supplies", "part")
        writer.submit(change(contains=rows("contains", line("M", "M"))))
        until(lambda: workspace.view() is not before)
        view = workspace.view()
        assert {"contains", "part", "supplies"} <= view._kept.keys()
        assert ("contains", "child") in view._refs
        assert ("supplies", "part") in view._inverse


def test_others_commits_are_seen_while_a_snapshot_is_written_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaingraph.following.REPLAY_ROWS", 0)
    writing, go_on = threading.Event(), threading.Event()
    write = Snapshot.write

    def slowly(self: Snapshot, parent: Path, erased: int) -> Snapshot:
        writing.set()
        assert go_on.wait(20)
        return write(self, parent, erased)

    monkeypatch.setattr(Snapshot, "write", slowly)
    with opened(tmp_path) as writer:
        writer.store.commit(change(**machine()))
        workspace, store = far(tmp_path)
        with workspace:
            workspace.start_following(every=0.01)
            assert writing.wait(20)
            assert workspace.view().count("part") == 3, "it is shown before it is written"
            writer.store.commit(change(part=rows("part", part("Z"))))
            until(lambda: workspace.view().count("part") == 4)
            go_on.set()
            until(lambda: list(store.snapshots.glob("r1-*")))
    assert [each.name[:3] for each in store.snapshots.iterdir()] == ["r1-"]
    with far(tmp_path)[0] as again:
        assert again.view().count("part") == 4


def test_the_first_answer_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaingraph.following.REPLAY_ROWS", 0)
    with opened(tmp_path) as writer:
        writer.submit(change(**machine()))
    workspace, store = far(tmp_path)
    with workspace:
        assert workspace.view().count("part") == 3
        assert not store.snapshots.exists()
    assert len(list(store.snapshots.iterdir())) == 1, "it is written at the end"


def test_following_ends_with_the_workspace_though_the_store_does_not_answer(tmp_path: Path, kept: Kept) -> None:
    workspace, store = far(tmp_path, kept=kept)
    workspace.start_following(every=0.01)
    assert workspace.wait(20)
    store.blocked.add("head")
    until(lambda: "head" in store.waiting)
    started = time.monotonic()
    workspace.close()
    assert time.monotonic() - started < 5.0
