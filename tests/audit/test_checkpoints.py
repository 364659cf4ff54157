"""Checkpoints: the published note is signed and taken; a log edited, cut, forked or signed anew is found out."""

import base64
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Action, Entry
from chaingraph.audit.checkpoints import (
    Checkpoint,
    Key,
    Signer,
    Unproven,
    checkpoint,
    note,
    origin,
    signed,
    verify,
)
from chaingraph.audit.tree import Frontier
from chaingraph.store import Store, open_store

# The example of Go's package sumdb/note (BSD-3-Clause), which signed-note is a description of.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LENGTH = 20


def entry(number: int, organisation: str = "ORG-A") -> Entry:
    """One of several entries, a second apart."""
    at = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
    return Entry(Action.READ, organisation, "analyst", "a-1", "quality", at, owners=("ORG-B",), kinds=("part",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose log has twenty entries."""
    found = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    found.append("audit", [entry(number).leaf() for number in range(LENGTH)])
    yield found
    found.close()


def kept(store: Store, size: int) -> Checkpoint:
    """The checkpoint that was taken when the log had so many leaves."""
    frontier = Frontier()
    frontier.extend(list(store.leaves("audit"))[:size])
    return Checkpoint.read(note(Signer.of(store), frontier))


def exported(path: Path, leaves: list[bytes]) -> Path:
    """A log file."""
    path.write_bytes(b"".join(leaf + b"\n" for leaf in leaves))
    return path


def refused(log: Path, *checkpoints: Checkpoint) -> Unproven:
    """What is said of a log that does not hold."""
    with pytest.raises(Unproven) as caught:
        verify(log, checkpoints)
    return caught.value


def test_the_published_note() -> None:
    key = Key.read(GO_KEY)
    assert str(key) == GO_KEY
    assert Signer(GO_SEED).key.public == key.public
    assert Signer(GO_SEED).sign(GO_TEXT, "PeterNeumann") == f"{GO_TEXT}\n{GO_SIGNATURE}"
    assert signed(GO_TEXT, GO_SIGNATURE, key)
    assert not signed(GO_TEXT.upper(), GO_SIGNATURE, key)
    assert not signed(GO_TEXT, GO_SIGNATURE.replace("PeterNeumann", "EnochRoot"), key)


@pytest.mark.parametrize(
    "text",
    [
        "", "PeterNeumann", GO_KEY[:-4], GO_KEY.replace("c74f20a3", "c74f20a4"), GO_KEY.replace("Peter", "peter"),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "a+b+!",
    ],
)  # fmt: skip
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(Unproven) as caught:
        Key.read(text)
    assert caught.value.code == "audit.bad_key"


def test_a_checkpoint_names_size_root_and_time(store: Store) -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    text = checkpoint(store)
    key = Signer.of(store).key
    first, size, root, time, named, blank, signature, end = text.split("\n")
    assert (first, size, named, blank, end) == (key.name, str(LENGTH), f"key {key}", "", "")
    assert first == origin(key.public)
    assert signature.startswith(f"— {key.name} ")
    found = Checkpoint.read(text, key)
    assert found.size == LENGTH
    assert base64.b64encode(found.root).decode() == root
    assert before <= found.at <= dt.datetime.now(dt.UTC)
    assert time == f"time {found.at:%Y-%m-%dT%H:%M:%SZ}"
    assert f"{found.text()}" == text.partition("\n\n")[0] + "\n"


def test_a_log_that_holds_also_when_it_has_grown(store: Store, tmp_path: Path) -> None:
    log = exported(tmp_path / "log", list(store.leaves("audit")))
    found = verify(log, [kept(store, size) for size in (0, 1, 7, 16, LENGTH)])
    assert (found.leaves, found.root, found.checkpoints) == (LENGTH, kept(store, LENGTH).root, 5)
    assert verify(log, [kept(store, 7)]).leaves == LENGTH
    assert verify(exported(tmp_path / "empty", []), [kept(store, 0)]).leaves == 0


@pytest.mark.parametrize("number", range(LENGTH))
def test_one_edited_leaf(store: Store, tmp_path: Path, number: int) -> None:
    leaves = list(store.leaves("audit"))
    leaves[number] = entry(number, "ORG-C").leaf()
    log = exported(tmp_path / "log", leaves)
    error = refused(log, *(kept(store, size) for size in (number, number + 1, LENGTH)))
    assert error.code == "audit.differs"
    assert f"Leaf {number} is not" in error.say("en")
    last = f"Leaves among 0 to {LENGTH - 1} are not"
    assert refused(log, kept(store, LENGTH)).say("en").startswith(last)


def test_a_leaf_edited_byte_by_byte_is_named(store: Store, tmp_path: Path) -> None:
    leaves = list(store.leaves("audit"))
    leaves[11] = leaves[11].replace(b'"ORG-B"', b' "ORG-B"')
    error = refused(exported(tmp_path / "log", leaves), kept(store, LENGTH))
    assert error.code == "audit.malformed"
    assert "Leaf 11 " in error.say("en")


@pytest.mark.parametrize("change", ["left out", "put in", "exchanged"])
def test_leaves_moved_about(store: Store, tmp_path: Path, change: str) -> None:
    leaves = list(store.leaves("audit"))
    if change == "left out":
        del leaves[4]
        leaves.append(entry(99).leaf())
    elif change == "put in":
        leaves.insert(4, entry(99).leaf())
    else:
        leaves[4], leaves[5] = leaves[5], leaves[4]
    log = exported(tmp_path / "log", leaves)
    assert refused(log, kept(store, 4), kept(store, 8), kept(store, LENGTH)).say("en").startswith("Leaves among 4 to 7")


def test_a_log_that_was_cut(store: Store, tmp_path: Path) -> None:
    leaves = list(store.leaves("audit"))
    log = exported(tmp_path / "log", leaves[:15])
    error = refused(log, kept(store, 7), kept(store, LENGTH))
    assert error.code == "audit.cut"
    assert "15 leaves" in error.say("en")
    assert str(LENGTH) in error.say("en")
    (tmp_path / "log").write_bytes(b"\n".join(leaves)[:-20])
    assert refused(log, kept(store, LENGTH)).code == "audit.malformed"


def test_two_pasts_that_were_signed(store: Store, tmp_path: Path) -> None:
    leaves = list(store.leaves("audit"))
    branch = [*leaves[:10], *(entry(number, "ORG-C").leaf() for number in range(10, LENGTH))]
    frontier = Frontier()
    frontier.extend(branch)
    other = Checkpoint.read(note(Signer.of(store), frontier))
    true_log, branched = exported(tmp_path / "log", leaves), exported(tmp_path / "branch", branch)
    assert refused(true_log, kept(store, LENGTH), other).code == "audit.forked"
    assert refused(branched, kept(store, 15), other).code == "audit.forked"
    assert refused(true_log, kept(store, 15), other).code == "audit.differs"


def test_a_log_signed_with_another_key(store: Store, tmp_path: Path) -> None:
    leaves = [entry(number, "ORG-C").leaf() for number in range(LENGTH)]
    log = exported(tmp_path / "log", leaves)
    frontier = Frontier()
    frontier.extend(leaves)
    forged = note(Signer(b"7" * 32), frontier)
    assert verify(log, [Checkpoint.read(forged)]).leaves == LENGTH  # it holds for its own key, and for that alone
    with pytest.raises(Unproven) as caught:
        Checkpoint.read(forged, Signer.of(store).key)
    assert caught.value.code == "audit.other_key"
    assert refused(log, kept(store, 7), Checkpoint.read(forged)).code == "audit.other_log"
    renamed = forged.replace(Signer(b"7" * 32).key.name, Signer.of(store).key.name)
    with pytest.raises(Unproven) as caught:
        Checkpoint.read(renamed)
    assert caught.value.code == "audit.bad_checkpoint"


def test_a_checkpoint_that_was_altered(store: Store) -> None:
    text = checkpoint(store)
    lines = text.split("\n")
    changed = {
        "audit.bad_signature": [
            text.replace(f"\n{LENGTH}\n", f"\n{LENGTH - 1}\n"),
            text.replace(lines[2], base64.b64encode(b"0" * 32).decode()),
            text.replace(lines[3], "time 2026-01-01T00:00:00Z"),
            text.replace(lines[6], lines[6][:-9] + ("A" if lines[6][-9] != "A" else "B") + lines[6][-8:]),
            text.replace(lines[6], GO_SIGNATURE.strip()),
            text.partition("\n\n")[0] + "\n\n",
        ],
        "audit.bad_checkpoint": [
            "", "checkpoint", text[5:], text.replace(lines[2], "AAAA"), text.replace(f"\n{LENGTH}\n", "\n020\n"),
            text.replace("time ", "at "), text.replace(lines[3], "time yesterday"), text.replace("\nkey ", "\nkey x"),
            text.replace(lines[0], "chaingraph/0000000000000000", 1),
        ],
    }  # fmt: skip
    for code, notes in changed.items():
        for each in notes:
            assert each != text
            with pytest.raises(Unproven) as caught:
                Checkpoint.read(each)
            assert caught.value.code == code, each
