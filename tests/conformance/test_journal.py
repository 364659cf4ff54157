"""The journal: every commit in order, chained, and a changed past shows."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import replace

import polars as pl
import pytest

from chaingraph.changes import ChangeSet, canonical
from chaingraph.store import Store
from chaingraph.store.verify import verify
from schema import kind
from tests.chaingraph.world import machine, rows
from tests.conformance.stores import graph, parts, replayed

WHEN = dt.datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=dt.UTC)


def every_type() -> ChangeSet:
    """A row with every type of column (text, whole and broken number, truth, day, moment), full and empty."""
    upload = {"id": 'U-"1"\n,%/@', "load": "入库", "file": "", "sha256": "0", "rows": -(2**62), "taken": 0}
    upload |= {"at": WHEN, "by": "L01"}
    supplies = (
        {
            "part": "L01/B",
            "supplier": "S1",
            "share": 0.1,
            "alternative_exists": True,
            "valid_from": dt.date(2026, 3, 1),
        },
        {"part": "L01/B", "supplier": "S2", "share": 1e-300, "alternative_exists": False, "price": 1e300},
    )
    put = {"upload": rows("upload", upload), "supplies": rows("supplies", *supplies)}
    number = uuid.UUID("00000000-0000-4000-8000-000000000001")
    return ChangeSet(put, {"part": pl.Series(["L01/Z", "L01/C"])}, "L01", number, "load-1", 0, last=False)


def test_the_canonical_rows_are_what_they_always_were() -> None:
    """Another spelling (by another polars, say) would make every store's past look changed."""
    frame = pl.DataFrame(
        {
            "key": ["b", "c", "a"],
            "text": ['say "1",\n轴承', None, ""],
            "whole": [-(2**62), None, 0],
            "broken": [0.1, None, 1.0],
            "wide": [1e300, 5e-324, 123456789.125],
            "truth": [True, None, False],
            "day": [dt.date(2026, 3, 1), None, dt.date(1970, 1, 1)],
            "moment": [WHEN, None, WHEN.replace(microsecond=0)],
        },
        schema_overrides={"moment": pl.Datetime("us", "UTC")},
    )
    assert canonical(frame).decode() == (
        '"key","text","whole","broken","wide","truth","day","moment"\n'
        '"a","",0,1.0,123456789.125,"false","1970-01-01","2026-03-01T12:30:15.000000+0000"\n'
        '"b","say ""1"",\n轴承",-4611686018427387904,0.1,1e+300,"true","2026-03-01","2026-03-01T12:30:15.250000+0000"\n'
        '"c",,,,5e-324,,,\n'
    )
    assert (
        hashlib.sha256(canonical(frame)).hexdigest()
        == "5da199a5d8488f0e29681de5cece069af2588901841a68bb3d78c96a6d55f672"
    )


def test_the_order_of_rows_and_keys_does_not_matter() -> None:
    changes = every_type()
    turned = replace(
        changes,
        put={name: changes.put[name].reverse() for name in reversed(list(changes.put))},
        delete={name: found.reverse() for name, found in changes.delete.items()},
    )
    assert turned.content == changes.content
    for other in (replace(changes, by="S1"), replace(changes, part=1), replace(changes, delete={})):
        assert other.content != changes.content


def test_commits_come_back_in_order_with_all_they_were(store: Store) -> None:
    started = dt.datetime.now(dt.UTC)
    world = machine()
    store.commit(ChangeSet(world, by="L01"))
    last = every_type()
    store.commit(last)
    first, second = store.journal()
    assert (first.revision, first.load, first.part, first.last, first.by, first.rows) == (1, None, 0, True, "L01", 11)
    assert (second.revision, second.load, second.part, second.last, second.by, second.rows) == (
        2, "load-1", 0, False, "L01", 5,
    )  # fmt: skip
    assert (second.id, second.content) == (last.id, last.content)
    assert second.digest == store.head().digest
    assert started <= first.at <= second.at <= dt.datetime.now(dt.UTC)
    assert first.at.tzinfo is dt.UTC
    back = second.changes(None)
    assert back.content == last.content
    assert (back.by, back.id, back.load, back.part, back.last) == (last.by, last.id, last.load, last.part, last.last)
    assert first.changes(["part"]).put.keys() == {"part"}
    assert first.changes(["part"]).put["part"].equals(world["part"])
    assert second.changes(["part"]).put == {}
    assert sorted(second.changes(["part"]).delete["part"]) == ["L01/C", "L01/Z"]
    assert second.changes([]).size == 0


def test_a_stretch_of_the_journal(store: Store) -> None:
    for number in range(300):
        store.commit(parts(number % 7, name_zh=str(number)))
    assert [c.revision for c in store.journal()] == list(range(1, 301))
    assert [c.revision for c in store.journal(253, 258)] == [254, 255, 256, 257, 258]
    assert [c.revision for c in store.journal(298)] == [299, 300]
    assert list(store.journal(300)) == []
    reading = store.journal(299)
    store.commit(parts("later"))
    assert {c.revision for c in reading} >= {300}
    assert verify(store) is None


def test_the_chain_by_the_book(store: Store) -> None:
    """Digests computed here from the rows alone, by the words of `chaingraph.changes`."""
    world = machine()
    changes = [ChangeSet(world, by="L01"), every_type(), ChangeSet(load="load-1", part=1)]
    for each in changes:
        store.commit(each)
    digest = b""
    for revision, (each, found) in enumerate(zip(changes, store.journal(), strict=True), start=1):
        lines = [each.load or "", str(each.part), "1" if each.last else "0", each.by]
        for name in ("organisation", "part", "contains", "supplies", "upload"):  # the order of the kinds
            if name in each.put:
                lines.append(f"put {name} {hashlib.sha256(canonical(each.put[name])).hexdigest()}")
            if name in each.delete:
                text = "".join(f'"{key}"\n' for key in ["key", *sorted(each.delete[name])])
                lines.append(f"delete {name} {hashlib.sha256(text.encode()).hexdigest()}")
        content = hashlib.sha256("".join(f"{each_line}\n" for each_line in lines).encode()).digest()
        digest = hashlib.sha256(digest + revision.to_bytes(8, "big") + each.id.bytes + content).digest()
        assert (found.content, found.digest) == (content, digest)
    assert store.head().digest == digest
    assert verify(store) is None


def test_replaying_the_journal_gives_the_graph(store: Store) -> None:
    world = machine()
    store.commit(ChangeSet(world))
    store.commit(
        ChangeSet({"part": rows("part", {"number": "B", "issuer": "L01"})}, {"supplies": world["supplies"]["key"]})
    )
    store.commit(every_type())
    found, expected = graph(store), replayed(store)
    assert found.keys() == expected.keys()
    assert all(found[name].equals(expected[name]) for name in found)


def test_the_columns_of_a_kind_are_checked_when_a_change_set_is_made() -> None:
    with pytest.raises(ValueError, match="part"):
        ChangeSet({"part": kind("part").empty().drop("extra")})
