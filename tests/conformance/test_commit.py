"""A commit is applied whole or not at all, once, and only when nothing stands against it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict
from chaingraph.store import Store
from chaingraph.store.verify import verify
from tests.chaingraph.world import line, machine, part, rows
from tests.conformance.stores import Kept, graph, keys, parts


def test_a_new_store_is_empty(store: Store) -> None:
    head = store.head()
    assert (head.revision, head.visible, head.digest, head.open_load) == (0, 0, b"", None)
    assert graph(store) == {}
    assert list(store.journal()) == []
    assert verify(store) is None


def test_what_was_put_is_there_after_opening_again(kept: Kept, tmp_path: Path) -> None:
    first = kept.open(tmp_path)
    world = machine()
    assert first.commit(ChangeSet(world, by="L01")) == 1
    first.close()
    again = kept.open(tmp_path)
    found = graph(again)
    assert found.keys() == world.keys()
    for name, frame in world.items():
        assert found[name].equals(frame)
        assert found[name].schema == frame.schema
    assert again.head().revision == 1
    again.close()


def test_a_put_replaces_the_whole_row(store: Store) -> None:
    store.commit(parts("A", name_zh="轴承", part_class="bearing"))
    assert store.commit(parts("A", name_en="Bearing")) == 2
    row = graph(store)["part"].row(0, named=True)
    assert (row["name_zh"], row["name_en"], row["part_class"]) == (None, "Bearing", None)


def test_deletes_come_before_puts_and_absent_keys_are_no_error(store: Store) -> None:
    store.commit(parts("A", "B", name_zh="旧"))
    again = rows("part", part("A", name_zh="新"))
    store.commit(ChangeSet({"part": again}, {"part": pl.Series(["L01/A", "L01/B", "L01/none"])}))
    assert graph(store)["part"].equals(again)


def test_the_same_id_with_the_same_content_is_taken_once(store: Store) -> None:
    first = parts("A")
    assert store.commit(first, leaves=[b"one"]) == 1
    assert store.commit(parts("B")) == 2
    assert store.commit(first, leaves=[b"one"]) == 1
    assert store.commit(replace(first, put=dict(first.put)), expect=0) == 1  # a retry, whatever it expected at first
    assert store.head().revision == 2
    assert list(store.leaves("audit")) == [b"one"]


def test_the_same_id_with_other_content_is_refused(store: Store) -> None:
    first = parts("A")
    store.commit(first)
    for other in (parts("B"), parts("A", name_zh="轴承"), replace(first, by="S1")):
        with pytest.raises(Conflict) as refused:
            store.commit(replace(other, id=first.id))
        assert refused.value.code == "commit.id_reused"
    assert keys(store, "part") == ["L01/A"]


def test_a_commit_that_expects_another_revision_is_refused(store: Store) -> None:
    assert store.commit(parts("A"), expect=0) == 1
    for wrong in (0, 2):
        with pytest.raises(Conflict) as refused:
            store.commit(parts("B"), expect=wrong, leaves=[b"never"])
        assert refused.value.code == "commit.expected"
    assert store.commit(parts("B"), expect=1) == 2
    assert list(store.leaves("audit")) == []


def test_an_empty_change_set_makes_no_revision(store: Store) -> None:
    assert store.commit(ChangeSet()) == 0
    store.commit(parts("A"))
    assert (
        store.commit(ChangeSet({"part": rows("part")}, {"part": pl.Series([], dtype=pl.String)}), leaves=[b"seen"]) == 1
    )
    assert len(list(store.journal())) == 1
    assert list(store.leaves("audit")) == [b"seen"]


def test_leaves_are_written_with_the_commit_or_not_at_all(store: Store) -> None:
    store.commit(ChangeSet(machine()), leaves=[b"one", b"two"])
    with pytest.raises(Conflict):
        store.commit(ChangeSet(delete={"part": pl.Series(["L01/B"])}), leaves=[b"three"])
    assert list(store.leaves("audit")) == [b"one", b"two"]


def test_two_rows_with_one_key_are_refused(store: Store) -> None:
    twice = rows("part", part("A"), part("A", name_zh="轴承"))
    with pytest.raises(ValueError, match="part"):
        store.commit(ChangeSet({"part": twice}))
    assert store.head().revision == 0


def test_readers_see_a_load_when_its_last_commit_is_in(store: Store) -> None:
    store.commit(parts("A"))
    for number, last in ((0, False), (1, False), (2, True)):
        store.commit(replace(parts(f"B{number}"), load="load-1", part=number, last=last))
        head = store.head()
        assert (head.revision, head.visible) == (2 + number, 4 if last else 1)
        assert head.open_load == (None if last else "load-1")
    assert [(c.load, c.part, c.last) for c in store.journal(1)] == [
        ("load-1", 0, False), ("load-1", 1, False), ("load-1", 2, True),
    ]  # fmt: skip


def test_an_unfinished_load_keeps_others_out_until_it_is_closed(store: Store) -> None:
    store.commit(replace(parts("A"), load="load-1", last=False))
    for other in (parts("B"), replace(parts("B"), load="load-2")):
        with pytest.raises(Conflict) as refused:
            store.commit(other)
        assert refused.value.code == "load.unfinished"
        assert "load-1" in refused.value.say("en")
        assert "load-1" in refused.value.say("zh")
    store.append("audit", [b"a log is no commit"])
    assert store.commit(ChangeSet(load="load-1", part=1)) == 2  # its end, though it changes nothing more
    assert store.head().visible == 2
    assert store.commit(parts("B")) == 3


def test_a_part_of_a_load_names_its_load(store: Store) -> None:
    with pytest.raises(ValueError, match="load"):
        store.commit(replace(parts("A"), last=False))


def test_what_others_refer_to_is_not_deleted(store: Store) -> None:
    store.commit(ChangeSet(machine()))
    before = graph(store)
    with pytest.raises(Conflict) as refused:
        store.commit(ChangeSet(delete={"part": pl.Series(["L01/B"])}))
    assert refused.value.code == "delete.referred"
    lines = before["contains"].filter(pl.col("child") == "L01/B")["key"].to_list()
    supplies = before["supplies"]["key"].to_list()
    for locale in ("en", "zh"):
        assert all(key in refused.value.say(locale) for key in lines + supplies)
    after = graph(store)
    assert after.keys() == before.keys()
    assert all(after[name].equals(before[name]) for name in before)
    assert store.head().revision == 1


def test_at_most_twenty_referrers_are_named_and_all_are_counted(store: Store) -> None:
    lines = [line("M", f"C{n:02}") for n in range(30)]
    parted = rows("part", part("M"), *(part(f"C{n:02}") for n in range(30)))
    store.commit(ChangeSet({"part": parted, "contains": rows("contains", *lines)}))
    with pytest.raises(Conflict) as refused:
        store.commit(ChangeSet(delete={"part": pl.Series(["L01/M"])}))
    assert refused.value.say("en").count("L01/M/") == 20
    assert "10 more" in refused.value.say("en")
    assert "30" in refused.value.say("zh")


def test_referrers_may_go_or_turn_away_in_the_same_change(store: Store) -> None:
    world = machine()
    store.commit(ChangeSet(world))
    lines = world["contains"].filter(pl.col("child") == "L01/B")["key"]
    turned = rows("site", {"id": "P1", "organisation": "S1"})
    store.commit(ChangeSet({"site": turned}))
    store.commit(
        ChangeSet(delete={"part": pl.Series(["L01/B"]), "contains": lines, "supplies": world["supplies"]["key"]})
    )
    assert keys(store, "part") == ["L01/A", "L01/M"]
    elsewhere = rows("site", {"id": "P1", "organisation": "S2"})
    store.commit(ChangeSet({"site": elsewhere}, {"organisation": pl.Series(["S1"])}))
    assert keys(store, "organisation") == ["L01", "S2"]


def test_a_thing_may_go_with_its_reference_to_itself(store: Store) -> None:
    store.commit(ChangeSet({"organisation": rows("organisation", {"id": "S1", "parent": "S1"})}))
    store.commit(ChangeSet(delete={"organisation": pl.Series(["S1"])}))
    assert graph(store) == {}


def test_one_owners_row_may_go_while_anothers_answers_to_the_same_natural_key(store: Store) -> None:
    lot = {"part": "L01/A", "maker": "S1", "code": "x@y/z"}
    mine, theirs = rows("lot", lot), rows("lot", lot, owner="S1")
    record = {"id": "R1", "part": "L01/A", "age": 1.0, "event": "failure", "lot": "L01/A/S1/x%40y%2Fz"}
    put = {"organisation": rows("organisation", {"id": "S1"}), "part": rows("part", part("A"))}
    put |= {"lot": pl.concat([mine, theirs]), "life_record": rows("life_record", record)}
    store.commit(ChangeSet(put))
    store.commit(ChangeSet(delete={"lot": mine["key"]}))
    with pytest.raises(Conflict) as refused:
        store.commit(ChangeSet(delete={"lot": theirs["key"]}))
    assert refused.value.code == "delete.referred"
    assert "R1@L01" in refused.value.say("en")
    assert keys(store, "lot") == theirs["key"].to_list()


def test_logs_blobs_and_secrets(kept: Kept, tmp_path: Path) -> None:
    store = kept.open(tmp_path)
    assert list(store.leaves("audit")) == []
    assert store.append("audit", [b"a", b"", b"\x00\xff"]) == 3
    assert store.append("other", [b"o"]) == 1
    assert store.append("audit", []) == 3
    assert store.append("audit", [str(n).encode() for n in range(1000)]) == 1003
    assert list(store.leaves("audit"))[:4] == [b"a", b"", b"\x00\xff", b"0"]
    assert list(store.leaves("audit", 1001)) == [b"998", b"999"]
    assert list(store.leaves("other")) == [b"o"]

    assert store.blob("file") is None
    store.put_blob("file", b"1" * 3_000_000)
    store.put_blob("文件", b"")
    store.put_blob("file", b"\x00\x01")
    assert (store.blob("file"), store.blob("文件")) == (b"\x00\x01", b"")

    secret = store.secret("ties")
    assert len(secret) == 32
    assert store.secret("cursors") != secret
    store.close()
    again = kept.open(tmp_path)
    assert again.secret("ties") == secret
    assert again.blob("file") == b"\x00\x01"
    assert again.append("audit", [b"z"]) == 1004
    again.close()


def test_logs_blobs_and_secrets_are_listed_by_name(store: Store) -> None:
    assert (store.names("log"), store.names("blob"), store.names("secret")) == ([], [], [])
    store.commit(parts("A"), leaves=[b"seen"])
    store.append("é", [b"1", b"2"])
    store.append("Z", [b"3"])
    store.put_blob("b/2", b"")
    store.put_blob("b/1", b"1")
    store.put_blob("b/1", b"2")
    store.secret("ties")
    store.secret("cursors")
    assert store.names("log") == ["Z", "audit", "é"]
    assert store.names("blob") == ["b/1", "b/2"]
    assert store.names("secret") == ["cursors", "ties"]


def test_a_secret_of_another_store_is_kept_where_there_is_none_yet(store: Store) -> None:
    given = bytes(range(32))
    assert store.secret("ties", given) == given
    assert store.secret("ties") == given
    assert store.secret("ties", b"\x01" * 32) == given
    own = store.secret("cursors")
    assert store.secret("cursors", given) == own != given


def test_ids_are_what_the_caller_says(store: Store) -> None:
    number = uuid.uuid5(uuid.NAMESPACE_URL, "part of a load that is run again")
    store.commit(replace(parts("A"), id=number))
    assert [c.id for c in store.journal()] == [number]
