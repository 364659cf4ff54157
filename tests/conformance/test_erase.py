"""Rows are taken out of the past: nothing is left of them, the rest is what it was, and all of it can be checked."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import polars as pl
import pytest

from chaingraph import Action, Actor, Conflict, Entry, StoreError, Workspace, checkpoint
from chaingraph.changes import ChangeSet
from chaingraph.following import digest_at, snapshot_at
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store, erasing, open_store
from chaingraph.store.copying import copy
from chaingraph.store.erasing import Erased, erase
from chaingraph.store.refusals import known
from chaingraph.store.verify import verify
from tests.chaingraph.world import part, rows
from tests.conformance.stores import STORES, Kept, graph, keys, parts, replayed
from tests.conformance.test_restore import written
from tests.neo4j.server import running

ROOT = Path(__file__).parents[2]
MARK = "Zq7Marker"
AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
NUMBERS = 40
"""Rows of each kind that stay beside those that are erased."""


def entry(**what: str) -> Entry:
    return Entry.of(Action.ERASED, Actor(), AT, owners=("S1",), agreements=("AG/1",), what=what)


def lots(*codes: str, owner: str = "S1") -> pl.DataFrame:
    return rows("lot", *({"part": "L01/A", "maker": "S1", "code": code} for code in codes), owner=owner)


def marked(name: str) -> str:
    """A text that is in nothing but what is to be erased; digits keep its like from being compressed away."""
    return f"{MARK}-{name}-{zlib.crc32(name.encode()):010}"


def fill(store: Store) -> dict[str, list[str]]:
    """Seven commits, and what is to be erased of them: a part that changed and went, one that is a stub now, a lot
    that came and went twice, each with a marker in its key or its cells. Others' rows are in the same commits.
    """
    others = [part(f"P{n}", name_zh=f"零件{n}") for n in range(NUMBERS)]
    gone, stub, lot = f"L01/{marked('gone')}", "L01/STUB", f"L01%2FA/S1/{marked('lot')}@S1"
    lot = lots(marked("lot"))["key"][0]
    first = rows("part", part(marked("gone"), name_zh="一"), part("STUB", name_en=marked("name")), *others)
    store.commit(ChangeSet({"part": first}, by="L01"), leaves=[b"a leaf"])
    store.commit(
        ChangeSet({"part": rows("part", part(marked("gone"), name_en=marked("name"))), "lot": lots(marked("lot"), "1")})
    )
    store.commit(ChangeSet(delete={"lot": pl.Series([lot])}))
    store.commit(ChangeSet({"part": rows("part", part("P1", name_zh="改")), "lot": lots(marked("lot"), "2")}))
    store.commit(
        ChangeSet({"part": rows("part", part("STUB", stub=True))}, {"part": pl.Series([gone]), "lot": pl.Series([lot])})
    )
    store.commit(parts("later"))
    return {"part": [gone, stub], "lot": [lot]}


def all_bytes(kept: Kept, folder: Path, store: Store) -> bytes:
    """Every byte of a store's files; of a database every property that Cypher reaches, payloads unpacked."""
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    if kept.name == "neo4j":
        found += [path.read_bytes() for path in sorted(store.snapshots.parent.rglob("*")) if path.is_file()]
        for text in ("MATCH (n) RETURN properties(n)", "MATCH ()-[r]->() RETURN properties(r)"):
            for (properties,) in running().driver.execute_query(text).records:
                found += [v if isinstance(v, bytes) else repr(v).encode() for v in properties.values()]
    found += [repr(commit.payload()).encode() for commit in store.journal()]
    for commit in store.journal():
        found += [repr(pl.read_ipc(each.data).rows()).encode() for each in commit.payload()]
    return b"\0".join(found)


def same(found: dict[str, pl.DataFrame], wanted: dict[str, pl.DataFrame]) -> bool:
    return found.keys() == wanted.keys() and all(found[name].equals(wanted[name]) for name in found)


def test_nothing_is_left_of_what_was_erased(kept: Kept, tmp_path: Path) -> None:
    with closing(kept.open(tmp_path)) as store:
        wanted = fill(store)
        snapshot_at(store, 4).write(store.snapshots)
        (store.snapshots / ".draft").mkdir()
        (store.snapshots / ".draft" / "part.table").write_text(MARK)
        checkpoint.write(store, snapshot_at(store, 3), None)
        checkpoint.write(store, snapshot_at(store, 4), checkpoint.manifest(store, lambda of: digest_at(store, of)))
        assert MARK.encode() in all_bytes(kept, tmp_path, store)
        before, journal, head = graph(store), [written(c) for c in store.journal()], store.head()
        done = erase(store, wanted, entry(), "AG/1")
        assert done == Erased(commits=5, rows=8)
        assert MARK.encode() not in all_bytes(kept, tmp_path, store)
        assert same(graph(store), before)
        assert same(replayed(store), before)
        assert [each[:-3] for each in map(written, store.journal())] == [each[:-3] for each in journal], "nothing else"
        assert store.head() == replace(head, erased=store.head().erased)
        assert verify(store) is None
        assert {each.name.partition("-")[0] for each in store.snapshots.iterdir()} == {"r6"}
        found = checkpoint.manifest(store, lambda of: digest_at(store, of))
        assert found is not None
        assert found.revision == 6
        assert checkpoint.read(store, found, store.head().digest) is not None
        assert keys(store, "part")[-1] == "L01/later"
    with closing(kept.open(tmp_path)) as store:
        assert same(graph(store), before)
        assert verify(store) is None


def test_what_was_taken_out_is_told(store: Store) -> None:
    wanted = fill(store)
    erase(store, wanted, entry(agreement="AG"), "AG/1")
    redactions = store.redactions()
    assert [(each.revision, each.op, each.kind, each.rows, each.as_of, each.reason) for each in redactions] == [
        (1, "put", "part", 2, 6, "AG/1"), (2, "put", "part", 1, 6, "AG/1"), (2, "put", "lot", 1, 6, "AG/1"),
        (3, "delete", "lot", 1, 6, "AG/1"), (4, "put", "lot", 1, 6, "AG/1"), (5, "delete", "part", 1, 6, "AG/1"),
        (5, "delete", "lot", 1, 6, "AG/1"),
    ]  # fmt: skip
    assert [commit.redactions for commit in store.journal()] == [
        tuple(each for each in redactions if each.revision == revision) for revision in range(1, 7)
    ]
    said = Entry.read(list(store.leaves("audit"))[-1])
    assert (said.action, said.kinds, said.revision, said.agreements) == (Action.ERASED, ("lot", "part"), 6, ("AG/1",))
    assert said.what == {
        "agreement": "AG", "commits": "5", "rows": "8", "erasure": redactions[0].erasure,
        "redactions": erasing.digest_of(redactions),
    }  # fmt: skip
    assert MARK not in repr(redactions) + repr(list(store.leaves("audit")))


def test_to_erase_again_takes_out_what_came_since(store: Store) -> None:
    wanted = fill(store)
    erase(store, wanted, entry(), "AG/1")
    head = store.head()
    assert erase(store, wanted, entry(), "AG/1") == Erased(0, 0)
    assert store.head() == head
    assert len(list(store.leaves("audit"))) == 2
    store.commit(ChangeSet({"lot": lots(marked("lot"), "3")}))
    assert erase(store, wanted, entry(), "AG/1") == Erased(0, 0), "what the graph has stays"
    store.commit(ChangeSet(delete={"lot": pl.Series(wanted["lot"])}))
    assert erase(store, {"lot": [*wanted["lot"], lots("1")["key"][0]], "part": []}, entry(), "AG/2") == Erased(2, 2)
    assert verify(store) is None
    assert keys(store, "lot") == lots("1", "2", "3")["key"].to_list()


def test_two_erasures_of_one_commit(store: Store) -> None:
    store.commit(ChangeSet({"part": rows("part", *(part(str(n)) for n in range(4)))}))
    for number in (1, 2):
        store.commit(ChangeSet(delete={"part": pl.Series([f"L01/{number}"])}))
        assert erase(store, {"part": [f"L01/{number}"]}, entry(), "AG/1") == Erased(2, 2)
        assert verify(store) is None
    assert [(each.revision, each.rows) for each in store.redactions()] == [(1, 1), (2, 1), (1, 1), (3, 1)]
    assert store.redactions()[0].after == store.redactions()[2].before
    assert replayed(store)["part"]["number"].to_list() == ["0", "3"]


def from_nothing(store: Store, revision: int) -> Snapshot:
    return Snapshot.empty().apply(store.journal(0, revision))


def test_the_past_in_between_is_refused(store: Store) -> None:
    """From the first commit that lost something up to before the erasure."""
    store.commit(parts("first"))
    store.commit(parts("A", "B"))
    store.commit(ChangeSet(delete={"part": pl.Series(["L01/A"])}))
    kept_here = snapshot_at(store, 2)
    erase(store, {"part": ["L01/A"]}, entry(), "AG/1")
    store.commit(parts("C"))
    for replay in (snapshot_at, from_nothing):
        with pytest.raises(StoreError) as found:
            replay(store, 2)
        assert found.value.code == "journal.redacted"
        assert found.value.text.en == (
            "The graph as of commit 2 is not known any more: of what was committed from 2 on, rows (Part) have "
            "been erased."
        )
        assert found.value.remedy is not None
        assert found.value.remedy.en == "Ask for a commit before 2, or for 3 or a later one."
    assert kept_here.table("part")["number"].to_list() == ["A", "B", "first"]
    for revision, numbers in ((1, ["first"]), (3, ["B", "first"]), (4, ["B", "C", "first"])):
        assert snapshot_at(store, revision).table("part")["number"].to_list() == numbers


def test_a_load_must_be_whole(store: Store) -> None:
    store.commit(parts("A"))
    store.commit(replace(parts("B"), load="load-1", part=0, last=False))
    with pytest.raises(Conflict) as found:
        erase(store, {"part": ["L01/A"]}, entry(), "AG/1")
    assert found.value.code == "load.unfinished"
    assert store.redactions() == []


MADE_UP = (
    "CREATE (:JournalRedaction {number: 9, erasure: 'e', revision: 6, op: 'put', kind: 'part', rows: 1, before: '', "
    "after: '', as_of: 6, at: 0, reason: ''})"
)
FORGED: dict[str, dict[str, tuple[str, str, str]]] = {
    "sqlite": {
        "rest": (
            "UPDATE payload SET data = (SELECT data FROM payload WHERE revision = 4 AND kind = 'lot') WHERE rowid = 3",
            "journal.content", "Commit 2 does not do what was committed.",
        ),
        "unnoted": ("DELETE FROM redaction WHERE revision = 4", "journal.content", "Commit 4 does not do"),
        "unflagged": ("UPDATE journal SET redacted = 0 WHERE revision = 4", "journal.content", "Commit 4 does not do"),
        "reason": (
            "UPDATE redaction SET reason = 'AG/9' WHERE revision = 4", "journal.redaction",
            "Commit 1 has a redaction that the audit log has not.",
        ),
        "made up": (
            "INSERT INTO redaction SELECT 9, 'e', 6, op, kind, 1, after, after, 6, at, '' FROM redaction LIMIT 1",
            "journal.redaction", "Commit 6 has not lost what a redaction says of it.",
        ),
        "no leaf": (
            "DELETE FROM log WHERE number = 1", "journal.redaction",
            "Commit 1 has a redaction that the audit log has not.",
        ),
    },
    "neo4j": {
        "rest": (
            "MATCH (p:JournalPayload {revision: 2}), (q:JournalPayload {revision: 4}) SET p.data = q.data",
            "journal.content", "Commit 2 does not do what was committed.",
        ),
        "unnoted": (
            "MATCH (r:JournalRedaction {revision: 4}) DELETE r", "journal.content",
            "Commit 4 does not do what was committed.",
        ),
        "unflagged": (
            "MATCH (c:JournalCommit {revision: 4}) REMOVE c.redacted", "journal.content", "Commit 4 does not do",
        ),
        "reason": (
            "MATCH (r:JournalRedaction {revision: 4}) SET r.reason = 'AG/9'", "journal.redaction",
            "Commit 1 has a redaction that the audit log has not.",
        ),
        "made up": (
            MADE_UP, "journal.redaction", "Commit 6 has not lost what a redaction says of it.",
        ),
        "no leaf": (
            "MATCH (l:LogLeaf {number: 1}) DELETE l", "journal.redaction",
            "Commit 1 has a redaction that the audit log has not.",
        ),
    },
}  # fmt: skip
"""How somebody could use or hide a redaction, for every store, and what is said of it."""


def forge(kept: Kept, folder: Path, statement: str) -> None:
    if kept.name == "neo4j":
        assert running().driver.execute_query(statement).summary.counters.contains_updates
        return
    run = apsw.Connection(str(folder / "graph.db"))
    run.execute(statement)
    assert run.changes()
    run.close()


@pytest.mark.parametrize("how", FORGED["sqlite"])
def test_a_redaction_hides_no_other_change(kept: Kept, tmp_path: Path, how: str) -> None:
    with closing(kept.open(tmp_path)) as store:
        erase(store, fill(store), entry(), "AG/1")
        assert verify(store) is None
    statement, code, said = FORGED[kept.name][how]
    forge(kept, tmp_path, statement)
    with closing(kept.open(tmp_path)) as store:
        found = verify(store)
    assert found is not None
    assert (found.code, found.what.en[: len(said)]) == (code, said)


def test_an_erasure_of_the_audit_log_that_the_store_does_not_note(store: Store) -> None:
    """As where somebody put the rows back, out of a backup, and took away the redactions."""
    fill(store)
    store.append("audit", [entry(erasure="e", redactions="0").leaf()])
    found = verify(store)
    assert found is not None
    assert found.what.en == "The audit log has the erasure e, and the store has not."


def test_a_copy_has_the_same_redactions(kept: Kept, tmp_path: Path) -> None:
    with closing(kept.open(tmp_path / "from")) as source, closing(open_store(f"sqlite:///{tmp_path / 'to.db'}")) as to:
        erase(source, fill(source), entry(), "AG/1")
        copied = copy(source, to)
        assert copied.digest == to.head().digest
        assert to.redactions() == source.redactions()
        assert to.head() == source.head()
        assert same(graph(to), graph(source))
        assert verify(to) is None
        source.commit(parts("more"))
        assert copy(source, to).commits == 1
        assert MARK.encode() not in (tmp_path / "to.db").read_bytes()


def test_a_copy_back_into_another_store(kept: Kept, tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'from.db'}")) as source, closing(kept.open(tmp_path / "to")) as to:
        erase(source, fill(source), entry(), "AG/1")
        copy(source, to)
        assert to.redactions() == source.redactions()
        assert same(graph(to), graph(source))
        assert verify(to) is None


def test_a_copy_from_before_is_not_continued(kept: Kept, tmp_path: Path) -> None:
    with closing(kept.open(tmp_path / "from")) as source, closing(open_store(f"sqlite:///{tmp_path / 'to.db'}")) as to:
        wanted = fill(source)
        copy(source, to)
        erase(source, wanted, entry(), "AG/1")
        for dry_run in (True, False):
            with pytest.raises(Conflict) as refused:
                copy(source, to, dry_run=dry_run)
            assert refused.value.code == "copy.redacted"


def test_rows_that_are_erased_while_they_are_copied(kept: Kept, tmp_path: Path) -> None:
    with closing(kept.open(tmp_path / "from")) as source, closing(open_store(f"sqlite:///{tmp_path / 'to.db'}")) as to:
        wanted = fill(source)

        def told(done: int, _total: int) -> None:
            if done == 3:
                erase(source, wanted, entry(), "AG/1")

        with pytest.raises(Conflict) as refused:
            copy(source, to, told)
        assert refused.value.code == "copy.redacted"


def test_what_was_deleted_then_is_restored_though_others_seem_to_refer_to_it(kept: Kept, tmp_path: Path) -> None:
    """A lot that two firms stated and a record refers to: one firm's statement is erased, the other went before."""
    with closing(open_store(f"sqlite:///{tmp_path / 'from.db'}")) as source, closing(kept.open(tmp_path / "to")) as to:
        first, second = lots("x"), lots("x", owner="S2")
        record = rows(
            "shipment", {"part": "L01/A", "maker": "S1", "lot": "L01/A/S1/x", "month": "2026-01", "quantity": 1}
        )
        source.commit(ChangeSet({"lot": pl.concat([first, second]).sort("key"), "shipment": record}))
        source.commit(ChangeSet(delete={"lot": second["key"]}))
        source.commit(ChangeSet(delete={"shipment": record["key"], "lot": first["key"]}))
        erase(source, {"lot": first["key"]}, entry(), "AG/1")
        copy(source, to)
        assert verify(to) is None
        assert graph(to) == {}


def test_a_reader_that_was_there_before_takes_in_what_is_left(kept: Kept, tmp_path: Path) -> None:
    """Also where it was behind, and what it keeps on this machine goes, though nothing new was committed."""
    with closing(kept.open(tmp_path)) as store, closing(kept.open(tmp_path)) as other:
        wanted = fill(store)
        for revision, reader in ((4, Workspace(other)), (6, Workspace(other))):
            reader._graph._snapshot = snapshot_at(other, revision)
            erase(store, wanted, entry(), "AG/1")
            stale = other.snapshots / f"r{4}-0123456789abcdef"
            stale.mkdir(parents=True)
            assert reader.follow()
            assert not reader.follow()
            assert reader.snapshot().revision == 6
            assert same({n: t for n in graph(store) if len(t := reader.snapshot().table(n))}, graph(store))
            assert not stale.exists()


@pytest.mark.parametrize("after", range(7))
def test_killed_and_called_again(kept: Kept, tmp_path: Path, after: int) -> None:
    """Killed, as by `kill -9`, in the middle of any of seven transactions: what is there is sound each time."""
    with closing(kept.open(tmp_path)) as store:
        wanted = fill(store)
        before = graph(store)
        checkpoint.write(store, snapshot_at(store, 4), None)
    command = [sys.executable, "-m", "tests.conformance.eraser", kept.url(tmp_path), json.dumps(wanted)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        for number in range(after + 1):
            assert int(process.stdout.readline()) == number
            process.stdin.write("\n")
            process.stdin.flush()
        process.kill()
    with closing(kept.open(tmp_path)) as store:
        reached = len(store.redactions())
        assert reached in {after, after + 1}
        assert verify(store) is None
        assert same(replayed(store), before)
        assert same({name: snapshot_at(store, 6).table(name) for name in before}, before)
        assert erase(store, wanted, entry(), "AG/1").rows == 8 - sum(each.rows for each in store.redactions()[:reached])
        assert verify(store) is None
        assert MARK.encode() not in all_bytes(kept, tmp_path, store)


@pytest.mark.parametrize(
    ("kept", "seed", "steps"),
    [*((STORES[0], seed, 30) for seed in range(6)), *((each, 0, 8) for each in STORES[1:])],
    ids=lambda given: getattr(given, "name", None),
)
def test_what_is_still_known_is_what_it_was(kept: Kept, tmp_path: Path, seed: int, steps: int) -> None:
    """Random commits and erasures: every revision that is not refused is as it was, and today's is never refused."""
    rng = random.Random(seed)
    was: dict[int, dict[str, pl.DataFrame]] = {0: {}}
    refused = 0
    with closing(kept.open(tmp_path)) as store:
        for step in range(steps):
            here = keys(store, "part")
            put = parts(*rng.sample(range(8), 2), name_zh=str(step)).put
            gone = rng.sample(here, min(len(here), rng.randrange(3)))
            gone = [key for key in gone if key not in set(put["part"]["key"])]
            store.commit(ChangeSet(put, {"part": pl.Series(gone, dtype=pl.String)}))
            was[step + 1] = graph(store)
            if rng.random() < 0.2 or step == steps // 2:
                erase(store, {"part": [f"L01/{n}" for n in rng.sample(range(8), 3)]}, entry(), f"AG/{step}")
                assert verify(store) is None
                assert same(replayed(store), was[step + 1])
        redactions = store.redactions()
        for revision, wanted in was.items():
            if not known(redactions, revision):
                refused += 1
                continue
            found = snapshot_at(store, revision)
            assert same({"part": found.table("part")} if found.size else {}, wanted)
        assert known(redactions, steps)
    assert 0 < refused < steps
