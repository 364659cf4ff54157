"""Checkpoints in a remote store: when they are written, and that they are believed only when they are whole and fit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from chaingraph import Unavailable, checkpoint
from chaingraph.changes import ChangeSet
from chaingraph.following import digest_at, newest, snapshot_at
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store
from schema import KINDS, Text
from tests.chaingraph.far import far
from tests.chaingraph.world import change, line, machine, opened, part, rows
from tests.conformance.stores import STORES, Kept


@pytest.fixture(autouse=True)
def small() -> Iterator[pytest.MonkeyPatch]:
    """Checkpoints are due after a few rows, and cut into pieces of a row or two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "LEAST", 5)
        patch.setattr(checkpoint, "COMMIT", 1)
        patch.setattr(checkpoint, "PIECE", 6_000)
        patch.setattr(checkpoint, "FIRST_ROWS", 2)
        yield patch


def grown(folder: Path, kept: Kept = STORES[0]) -> None:
    """A graph with a checkpoint, and a commit after it."""
    workspace, _ = far(folder, kept=kept)
    with workspace:
        workspace.submit(change(**machine()))
        workspace.submit(change(part=rows("part", part("Z"))))


def blobs(store: Store) -> list[str]:
    return store.names("blob")


def written(store: Store) -> checkpoint.Manifest | None:
    return checkpoint.manifest(store, lambda revision: digest_at(store, revision))


def same_as_the_journal(found: Snapshot, store: Store) -> None:
    wanted = Snapshot.empty().apply(store.journal(0, found.revision))
    assert found.digest == wanted.digest
    for name, each in KINDS.items():
        assert_frame_equal(found.table(name), wanted.table(name))
        for field in each.refs:
            assert np.array_equal(found.ref(name, field), wanted.ref(name, field))


@pytest.mark.parametrize("kept", STORES, ids=lambda kept: kept.name)
def test_a_new_reader_starts_from_the_checkpoint_and_replays_what_came_after(tmp_path: Path, kept: Kept) -> None:
    grown(tmp_path, kept)
    reader, line_ = far(tmp_path, "elsewhere", kept)
    with reader:
        found = written(reader.store)
        assert found is not None
        assert found.revision == 1
        assert reader.view().count("part") == 4
        assert ("blob", "checkpoint") in line_.calls
        same_as_the_journal(reader.snapshot(), line_.inner)
        start = newest(reader.store, 2)
        assert (start.revision, start.folder) == (1, None)
        same_as_the_journal(snapshot_at(reader.store, 1), line_.inner)
        assert snapshot_at(reader.store, 0).size == 0


def test_a_snapshot_on_this_machine_is_taken_where_it_is_as_new(tmp_path: Path) -> None:
    grown(tmp_path)
    workspace, line_ = far(tmp_path, "elsewhere")
    with workspace:
        workspace.view()
        workspace.snapshot().write(line_.snapshots)
        line_.calls.clear()
        assert newest(workspace.store, 2).folder is not None
        assert line_.calls == [("redactions", None)], "not even the manifest was looked at"


def test_a_checkpoint_is_due_after_a_quarter_of_the_graph_and_no_sooner(
    tmp_path: Path, small: pytest.MonkeyPatch
) -> None:
    small.setattr(checkpoint, "LEAST", 10)
    workspace, _ = far(tmp_path)
    revisions = []
    with workspace:
        for i in range(60):
            workspace.submit(change(part=rows("part", part(f"P{2 * i:03}"), part(f"P{2 * i + 1:03}"))))
            found = written(workspace.store)
            revisions.append(found.revision if found else 0)
        sizes = [2 * each for each in sorted(set(revisions) - {0})]
        assert sizes[0] == 12
        for before, after in itertools.pairwise(sizes):
            assert max(10, after // 4) < after - before <= max(10, after // 4) + 2


def test_another_process_commits_count_too_and_its_checkpoint_is_not_written_twice(tmp_path: Path) -> None:
    one, _ = far(tmp_path)
    two, line_ = far(tmp_path, "elsewhere")
    with one, two:
        one.submit(change(**machine()))
        first = written(one.store)
        two.submit(change(part=rows("part", part("A1"))))
        assert written(two.store) == first
        one.submit(change(part=rows("part", *(part(f"B{i}") for i in range(5)))))
        assert (found := written(one.store)) is not None
        assert found.revision == 3, "one row by the other and five of its own"
        line_.calls.clear()
        two.submit(change(part=rows("part", part("C"))))
        assert [name for name, _ in line_.calls if name == "put_blob"] == []


def test_an_embedded_store_keeps_none(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        assert blobs(workspace.store) == []


def test_pieces_are_small_and_the_two_slots_take_turns(tmp_path: Path) -> None:
    workspace, _ = far(tmp_path)
    with workspace:
        slots = []
        for start in (0, 50, 100):
            workspace.submit(change(part=rows("part", *(part(f"P{start + i:04}") for i in range(50)))))
            found = written(workspace.store)
            assert found is not None
            slots.append(found.slot)
            assert found.count == len(found.pieces["part"]) > 5
        assert slots == ["a", "b", "a"]
        for name in blobs(workspace.store):
            assert len(workspace.store.blob(name) or b"") <= checkpoint.PIECE or name == "checkpoint"
        gone = workspace.snapshot().table("part")["key"].slice(3)
        workspace.submit(ChangeSet(delete={"part": gone}, by="L01"))
        workspace.submit(change(part=rows("part", *(part(f"Q{i}") for i in range(7)))))
        small = written(workspace.store)
        assert small is not None
        left = [name for name in blobs(workspace.store) if name.startswith(f"checkpoint.{small.slot}.")]
        assert len([name for name in left if workspace.store.blob(name)]) == small.count < len(left)


def break_piece(store: Store, found: checkpoint.Manifest) -> None:
    name = f"checkpoint.{found.slot}.000001"
    data = bytearray(store.blob(name) or b"")
    data[len(data) // 2] ^= 1
    store.put_blob(name, bytes(data))


def lose_piece(store: Store, found: checkpoint.Manifest) -> None:
    store.put_blob(f"checkpoint.{found.slot}.000000", b"")


def swap_pieces(store: Store, found: checkpoint.Manifest) -> None:
    names = [f"checkpoint.{found.slot}.{i:06}" for i in (0, 1)]
    data = [store.blob(name) or b"" for name in names]
    for name, other in zip(names, reversed(data), strict=True):
        store.put_blob(name, other)


def edit(**changed: Any) -> Any:
    def damage(store: Store, _found: checkpoint.Manifest) -> None:
        text = json.loads(store.blob("checkpoint") or b"")
        store.put_blob("checkpoint", json.dumps(text | changed).encode())

    return damage


def no_json(store: Store, _found: checkpoint.Manifest) -> None:
    store.put_blob("checkpoint", b"\xff\x00{")


def other_fields(store: Store, _found: checkpoint.Manifest) -> None:
    store.put_blob("checkpoint", b'{"format": 1}')


@pytest.mark.parametrize(
    "damage",
    [
        break_piece, lose_piece, swap_pieces, no_json, other_fields,
        edit(mark="r1-0123456789abcdef"), edit(revision=2), edit(format=0), edit(revision=99), edit(slot="b"),
        edit(slot="c"), edit(pieces=[]), edit(pieces={"nothing": ["0"]}), edit(pieces={}),
    ],
)  # fmt: skip
def test_a_checkpoint_that_is_not_whole_or_does_not_fit_is_left_aside(tmp_path: Path, damage: Any) -> None:
    grown(tmp_path)
    reader, line_ = far(tmp_path, "elsewhere")
    with reader:
        found = written(reader.store)
        assert found is not None
        damage(line_.inner, found)
        assert reader.view().count("part") == 4
        same_as_the_journal(reader.snapshot(), line_.inner)
        assert newest(reader.store, 2).revision == 0
        reader.submit(change(part=rows("part", *(part(f"N{i}") for i in range(9)))))
        again = written(reader.store)
        assert again is not None
        assert again.revision == 3, "the next to commit enough writes another"
        assert newest(reader.store, 3).revision == 3


def test_a_checkpoint_of_other_tables_is_left_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown(tmp_path)
    monkeypatch.setattr("chaingraph.snapshot.FORMAT", 0)
    reader, line_ = far(tmp_path, "elsewhere")
    with reader:
        assert written(reader.store) is None
        same_as_the_journal(newest(reader.store, 2), line_.inner)
        assert reader.view().count("part") == 4


class Killed(BaseException):
    """The process ends here."""


def test_a_writer_may_die_at_any_moment(tmp_path: Path) -> None:
    grown(tmp_path)
    wide = rows("part", *(part(f"N{i}") for i in range(12)))
    with opened(tmp_path) as writer:
        writer.submit(change(part=wide))
        following = writer.snapshot()
        done = None
        for pieces in range(40):
            before = written(writer.store)
            assert before is not None
            left = [pieces]

            def dying(name: str, data: bytes, left: list[int] = left) -> None:
                if not left[0]:
                    raise Killed
                left[0] -= 1
                writer.store.put_blob(name, data)

            class Dying:
                blob, names, head = writer.store.blob, writer.store.names, writer.store.head
                put_blob = staticmethod(dying)

            try:
                done = checkpoint.write(Dying, following, before)  # type: ignore[arg-type]
            except Killed:
                done = None
            found = written(writer.store)
            assert found in (before, done)
            assert found is not None
            taken = checkpoint.read(writer.store, found, digest_at(writer.store, found.revision) or b"")
            assert taken is not None, f"whole, though the writer died after {pieces} pieces"
            same_as_the_journal(taken, writer.store)
            if found != before:
                break
        assert done is not None
        assert pieces > 5


def test_a_reader_that_is_overtaken_twice_takes_the_newer_one(tmp_path: Path) -> None:
    grown(tmp_path)
    reader, line_ = far(tmp_path, "elsewhere")
    with reader, opened(tmp_path) as writer:
        asked = line_.inner.blob
        read: list[str] = []

        def blob(name: str) -> bytes | None:
            found = asked(name)
            if not read:
                writer.follow()
                now = written(writer.store)
                for _ in range(2):
                    now = checkpoint.write(writer.store, writer.snapshot(), now)
            read.append(name)
            return found

        line_.inner.blob = blob  # type: ignore[method-assign]
        found = newest(reader.store, 2)
        assert read.count("checkpoint") == 2
        assert found.revision == 2
        same_as_the_journal(found, line_.inner)


def test_a_checkpoint_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workspace, line_ = far(tmp_path)

    def refuse(name: str, data: bytes) -> None:
        raise Unavailable("store.unreachable", Text("断了。", "The line is cut."))

    with workspace:
        with monkeypatch.context() as broken:
            broken.setattr(line_.inner, "put_blob", refuse)
            assert workspace.submit(change(**machine())) == 1
        assert "no checkpoint" in caplog.text
        assert workspace.view().count("part") == 3
        assert workspace.submit(change(part=rows("part", part("Z")))) == 2
        found = written(workspace.store)
        assert found is not None
        assert found.revision == 2, "it is made up for at the next commit"


def test_an_unfinished_load_is_in_no_checkpoint(tmp_path: Path) -> None:
    workspace, _ = far(tmp_path)
    with workspace:
        with workspace.writing():
            parts = rows("part", *(part(f"P{i}") for i in range(9)))
            workspace.store.commit(ChangeSet({"part": parts}, by="L01", load="l", last=False))
        assert written(workspace.store) is None
        workspace.submit(change(contains=rows("contains", line("M", "B")), part=rows("part", part("A"))))
        found = written(workspace.store)
        assert found is None or found.revision >= 3
