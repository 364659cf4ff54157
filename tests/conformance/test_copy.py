"""A whole graph is moved from one store to another, of any two kinds, and is the same there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from chaingraph import checkpoint
from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict
from chaingraph.store import Store, open_store
from chaingraph.store.base import Named
from chaingraph.store.copying import Copied, copy
from chaingraph.store.verify import Unlike, verify
from tests.chaingraph.world import machine, part, rows
from tests.conformance.stores import STORES, Kept, graph, parts, replayed
from tests.conformance.test_journal import every_type
from tests.conformance.test_restore import written

ROOT = Path(__file__).parents[2]
EMBEDDED = STORES[0]
PAIRS = [pair for pair in product(STORES, STORES) if pair[0] is not pair[1] or pair[0] is EMBEDDED]
"""From, to. A server of the tests has one database: it is not copied to itself."""


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def pair(request: pytest.FixtureRequest) -> tuple[Kept, Kept]:
    found: tuple[Kept, Kept] = request.param
    return found


@pytest.fixture
def stores(pair: tuple[Kept, Kept], tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A filled store, and an empty one."""
    with ExitStack() as stack:
        source, destination = (
            stack.enter_context(closing(kept.open(tmp_path / name)))
            for kept, name in zip(pair, ("from", "to"), strict=True)
        )
        fill(source)
        yield source, destination


def fill(store: Store) -> None:
    """Puts, a deletion, a load of two commits whose last is empty, an unfinished load; logs, blobs, secrets."""
    world = machine()
    store.commit(ChangeSet(world, by="L01"), leaves=[b"first", b""])
    again = {"part": rows("part", part("B", name_zh="轴承"))}
    store.commit(ChangeSet(again, {"supplies": world["supplies"]["key"].head(1)}, by="S1"))
    store.commit(every_type())
    store.commit(ChangeSet(load="load-1", part=1, by="L01"))
    store.commit(replace(parts("new"), load="load-2", part=0, last=False))
    store.append("audit", [str(n).encode() for n in range(2500)])
    store.append("other", [b"\x00\xff"])
    store.put_blob("file", b"1" * 100_000)
    store.put_blob("文件", b"")
    store.put_blob(checkpoint.MANIFEST, b"{}")
    store.put_blob(f"{checkpoint.MANIFEST}.a.000000", b"derived")
    store.secret("ties")
    store.secret("cursors")


NAMED: tuple[Named, ...] = ("log", "blob", "secret")
EVERYTHING = {"commits": 4, "rows": 18, "leaves": 2503, "blobs": 2, "secrets": 2}


def said(copied: Copied) -> dict[str, int]:
    """How much was copied."""
    return {name: getattr(copied, name) for name in EVERYTHING}


def same(source: Store, destination: Store, until: int) -> bool:
    """Whether the destination is the source up to a commit."""
    return (
        [written(c) for c in source.journal(0, until)] == [written(c) for c in destination.journal()]
        and {name: list(source.leaves(name)) for name in source.names("log")}
        == {name: list(destination.leaves(name)) for name in destination.names("log")}
        and {name: source.blob(name) for name in source.names("blob") if not name.startswith(checkpoint.MANIFEST)}
        == {name: destination.blob(name) for name in destination.names("blob")}
        and {name: source.secret(name) for name in source.names("secret")}
        == {name: destination.secret(name) for name in destination.names("secret")}
    )


def test_a_copy_is_the_same_up_to_the_last_whole_load(stores: tuple[Store, Store]) -> None:
    source, destination = stores
    copied = copy(source, destination)
    assert said(copied) == EVERYTHING
    assert (copied.revision, copied.unfinished) == (4, 1)
    assert same(source, destination, 4)
    assert (destination.head().digest, destination.head().open_load) == (copied.digest, None)
    found, expected = graph(destination), replayed(destination)
    assert found.keys() == expected.keys()
    assert all(found[name].equals(expected[name]) for name in found)
    assert verify(destination) is None


def test_a_copy_is_brought_up_to_date_by_copying_again(stores: tuple[Store, Store]) -> None:
    source, destination = stores
    first = copy(source, destination)
    again = copy(source, destination)
    assert said(again) == dict.fromkeys(EVERYTHING, 0)
    assert (again.revision, again.digest) == (first.revision, first.digest)
    source.commit(replace(parts("newer"), load="load-2", part=1), leaves=[b"more"])
    source.put_blob("file", b"2")
    source.secret("third")
    told: list[tuple[int, int]] = []
    later = copy(source, destination, lambda done, total: told.append((done, total)))
    assert said(later) == {"commits": 2, "rows": 2, "leaves": 1, "blobs": 1, "secrets": 1}
    assert told == [(5, 6), (6, 6)]
    assert same(source, destination, 6)
    assert destination.head() == source.head()
    assert verify(destination) is None


def test_a_dry_run_says_what_would_be_copied(stores: tuple[Store, Store]) -> None:
    source, destination = stores
    planned = copy(source, destination, dry_run=True)
    assert destination.head().revision == 0
    assert [destination.names(of) for of in NAMED] == [[], [], []]
    assert copy(source, None, dry_run=True) == planned
    assert copy(source, destination) == planned


def test_an_empty_store_is_copied(kept: Kept, tmp_path: Path) -> None:
    with closing(kept.open(tmp_path / "from")) as source, closing(EMBEDDED.open(tmp_path / "to")) as destination:
        assert copy(source, destination).revision == 0
        assert destination.head() == source.head()


def _other_commit(source: Store, destination: Store) -> None:
    destination.commit(parts("other"))


def _further(source: Store, destination: Store) -> None:
    copy(source, destination)
    for number in range(2):
        destination.commit(parts(number))


def _other_secret(source: Store, destination: Store) -> None:
    destination.secret("ties")


def _other_log(source: Store, destination: Store) -> None:
    destination.append("audit", [b"first", b"second"])


def _longer_log(source: Store, destination: Store) -> None:
    destination.append("other", [b"\x00\xff", b"more"])


@pytest.mark.parametrize(
    ("before", "what"),
    [
        (_other_commit, "commit 1"),
        (_further, "commit 6"),
        (_other_secret, "the secret ties"),
        (_other_log, "the log audit"),
        (_longer_log, "the log other"),
    ],
)
def test_a_store_with_anything_else_in_it_is_refused_and_left_alone(
    stores: tuple[Store, Store], before: Callable[[Store, Store], None], what: str
) -> None:
    source, destination = stores
    before(source, destination)
    head, names = destination.head(), [destination.names(of) for of in NAMED]
    for dry_run in (True, False):
        with pytest.raises(Conflict) as refused:
            copy(source, destination, dry_run=dry_run)
        assert refused.value.code == "copy.differs"
        assert f"{what} is another" in refused.value.text.en
        assert destination.url in refused.value.text.zh
    assert (destination.head(), [destination.names(of) for of in NAMED]) == (head, names)


def test_a_source_that_does_not_hold_is_copied_up_to_there(pair: tuple[Kept, Kept], tmp_path: Path) -> None:
    with closing(pair[0].open(tmp_path / "from")) as source:
        for number in range(4):
            source.commit(parts(number))
    pair[0].forge(tmp_path / "from", 3)
    with closing(pair[0].open(tmp_path / "from")) as source, closing(pair[1].open(tmp_path / "to")) as destination:
        with pytest.raises(Unlike) as refused:
            copy(source, destination)
        assert (refused.value.code, refused.value.broken.revision) == ("journal.content", 3)
        assert destination.head().revision == 2


def test_a_copy_broken_off_is_taken_up_by_copying_again(stores: tuple[Store, Store]) -> None:
    """In the middle of a load, too."""
    source, destination = stores

    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, destination, stop)
    assert (destination.head().revision, destination.head().open_load) == (3, "load-1")
    assert said(copy(source, destination)) == dict.fromkeys(EVERYTHING, 0) | {"commits": 1}
    assert same(source, destination, 4)


def test_a_copy_killed_is_taken_up_by_copying_again(pair: tuple[Kept, Kept], tmp_path: Path) -> None:
    """Killed, as by `kill -9`, in the middle of a commit."""
    with closing(pair[0].open(tmp_path / "from")) as source:
        for number in range(8):
            source.commit(ChangeSet({"part": rows("part", *(part(f"{number}-{n}") for n in range(500)))}))
    urls = [kept.url(tmp_path / name) for kept, name in zip(pair, ("from", "to"), strict=True)]
    command = [sys.executable, "-m", "tests.conformance.copier", *urls]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        for number in range(1, 6):
            assert int(process.stdout.readline()) == number
            process.stdin.write("\n")
            process.stdin.flush()
        process.kill()
    with closing(open_store(urls[0])) as source, closing(open_store(urls[1])) as destination:
        reached = destination.head().revision
        assert reached in {5, 6}
        assert copy(source, destination).commits == 8 - reached
        assert same(source, destination, 8)
        assert graph(destination)["part"].equals(graph(source)["part"])
