"""Readers of a store in which rows are erased: what they hold, and what they keep on their machines."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from pathlib import Path

import pytest

from chaingraph import Action, Actor, Entry, checkpoint
from chaingraph.changes import ChangeSet
from chaingraph.following import clear, digest_at, newest, snapshot_at
from chaingraph.snapshot import Snapshot
from chaingraph.store.erasing import erase
from tests.chaingraph.far import far, until
from tests.chaingraph.world import change, machine, opened, part, rows

MARK = "Zq7Marker"
ENTRY = Entry.of(Action.ERASED, Actor(), dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def fill(workspace_folder: Path) -> None:
    """A machine, a part with a marker and its deletion."""
    with opened(workspace_folder) as writer:
        writer.store.commit(change(**machine()))
        writer.store.commit(change(part=rows("part", part("gone", name_en=f"{MARK} of more than twelve letters"))))


def gone(folder: Path) -> None:
    """The part with the marker is deleted and erased, as by another process."""
    with opened(folder) as writer:
        keys = writer.snapshot().table("part").filter(number="gone")["key"]
        writer.submit(ChangeSet(delete={"part": keys}))
        assert erase(writer.store, {"part": ["L01/gone"]}, ENTRY, "AG/1").rows == 2


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_another_machine_removes_what_it_keeps_when_it_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaingraph.following.REPLAY_ROWS", 0)
    fill(tmp_path)
    reader, line = far(tmp_path, "elsewhere")
    with reader:
        reader.start_following(every=0.01)
        assert reader.wait(20)
        until(lambda: MARK.encode() in kept(line.snapshots))
        gone(tmp_path)
        until(lambda: reader.snapshot().revision == 3)
        until(lambda: MARK.encode() not in kept(line.snapshots) and any(line.snapshots.glob("r3-e2-*")))
        assert reader.view().table("part")["number"].to_list() == ["A", "B", "M"]
        head = reader.store.head()
        assert newest(reader.store, head.revision).folder is not None


def test_a_machine_that_was_off_removes_it_when_it_starts(tmp_path: Path) -> None:
    fill(tmp_path)
    reader, line = far(tmp_path, "elsewhere")
    with reader:
        reader.view()
        reader.snapshot().write(line.snapshots)
    assert MARK.encode() in kept(line.snapshots)
    gone(tmp_path)
    again, _ = far(tmp_path, "elsewhere")
    with again:
        assert again.view().table("part")["number"].to_list() == ["A", "B", "M"]
    assert MARK.encode() not in kept(tmp_path)


def test_a_snapshot_that_was_being_written_when_rows_were_erased_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaingraph.following.REPLAY_ROWS", 0)
    writing, go_on = threading.Event(), threading.Event()
    write = Snapshot.write

    def slowly(self: Snapshot, parent: Path, erased: int) -> Snapshot:
        if parent.name == "elsewhere" and not go_on.is_set():
            writing.set()
            assert go_on.wait(20)
        return write(self, parent, erased)

    monkeypatch.setattr(Snapshot, "write", slowly)
    fill(tmp_path)
    reader, line = far(tmp_path, "elsewhere")
    with reader:
        reader.start_following(every=0.01)
        assert writing.wait(20)
        gone(tmp_path)
        until(lambda: reader.snapshot().revision == 3)
        go_on.set()
    assert line.snapshots.exists()
    assert MARK.encode() not in kept(tmp_path)


def test_what_is_in_memory_goes_too(tmp_path: Path) -> None:
    """The texts of filtered columns are shared with those of all there were: they would go to disk with the next
    snapshot.
    """
    fill(tmp_path)
    reader, line = far(tmp_path, "elsewhere")
    with reader:
        reader.view()
        gone(tmp_path)
        reader.follow()
        reader.snapshot().write(line.snapshots, reader.store.head().erased)
        assert MARK.encode() not in kept(line.snapshots)


def test_a_checkpoint_from_before_is_not_taken(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path) as writer:
        store = writer.store
        before = checkpoint.write(store, snapshot_at(store, 2), None)
        text = store.blob(checkpoint.MANIFEST)
        gone(tmp_path)
        assert text is not None
        store.put_blob(checkpoint.MANIFEST, text)
        assert before.revision == 2
        assert checkpoint.manifest(store, lambda of: digest_at(store, of)) is None


def test_a_snapshot_whose_folder_goes_is_whole(tmp_path: Path) -> None:
    """Its tables are mapped when it is opened, not one by one when somebody asks: those would be empty."""
    fill(tmp_path)
    with opened(tmp_path) as writer:
        writer.snapshot().write(writer.store.snapshots)
        taken = newest(writer.store, 2)
        assert taken.folder is not None
        shutil.rmtree(taken.folder)
        assert taken.size == writer.snapshot().size
        written = writer.snapshot().write(writer.store.snapshots)
        shutil.rmtree(writer.store.snapshots)
        assert written.size == writer.snapshot().size


def test_nothing_is_cleared_where_nothing_was_erased(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path) as writer:
        writer.snapshot().write(writer.store.snapshots)
        (writer.store.snapshots / ".draft").mkdir()
        clear(writer.store)
        assert len(list(writer.store.snapshots.iterdir())) == 2
