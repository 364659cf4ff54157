"""`chaingraph audit`: on the command line, where verifying needs neither a store nor a network."""

import json
import socket
from pathlib import Path

import pytest

from chaingraph import Action, Entry
from chaingraph.store import open_store
from tests.agreements.world import L01, S1
from tests.audit.world import ask, client, shared
from tests.server.cli import Call


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """The command line on a store whose log has nine entries, and folders of what was kept when it had three."""
    found = Call(f"sqlite:///{tmp_path / 'store.db'}")
    store = open_store(found.store)
    store.append("audit", [Entry.of(Action.READ, L01, owners=("S1",), kinds=("part",)).leaf()] * 3)
    assert found("audit", "checkpoint", str(tmp_path / "kept")).exit_code == 0
    store.append("audit", [Entry.of(Action.EXPORT, S1, owners=("L01",), what={"a": "b"}).leaf()] * 6)
    store.close()
    for word in ("checkpoint", "key", "export"):
        assert found("audit", word, str(tmp_path / word)).exit_code == 0
    return found


def test_verify_needs_only_the_log_and_a_checkpoint(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise AssertionError("no store and no network")

    monkeypatch.setattr("chaingraph.store.open_store", none)
    monkeypatch.setattr("server.cli.storing.opened", none)
    monkeypatch.setattr(socket, "socket", none)
    verify = ("audit", "verify", str(tmp_path / "export"), "--checkpoint", str(tmp_path / "kept"))
    alone = Call("sqlite:///nowhere/at/all.db")
    assert alone(*verify).exit_code == 0
    found = alone(
        *verify, "--checkpoint", str(tmp_path / "checkpoint"), "--key", str(tmp_path / "key"), "--format", "json"
    )
    said = json.loads(found.stdout)
    assert (said["holds"], said["leaves"], said["checkpoints"]) == (True, 9, 2)
    assert said["signed_by"] == (tmp_path / "key").read_text(encoding="utf-8").strip()


def test_what_does_not_hold_ends_with_status_1(call: Call, tmp_path: Path) -> None:
    log, kept, last = tmp_path / "export", tmp_path / "kept", tmp_path / "checkpoint"
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    other = Call(f"sqlite:///{tmp_path / 'other.db'}")
    open_store(other.store).close()
    assert other("audit", "key", str(tmp_path / "other")).exit_code == 0
    cases = {
        "audit.differs: Leaves among 3 to 8": whole.replace(b'"a":"b"', b'"a":"c"', 1),
        "audit.differs: Leaves among 0 to 2": whole.replace(b'"part"', b'"lot"', 1),
        "audit.cut": b"".join(lines[:8]),
        "audit.malformed: Leaf 8": whole[:-5],
        "audit.malformed: Leaf 0": b"number,action\n" + whole,
    }
    for said, content in cases.items():
        log.write_bytes(content)
        found = call("audit", "verify", str(log), "--checkpoint", str(kept), "--checkpoint", str(last))
        assert found.exit_code == 1, said
        assert found.stderr.startswith(said), found.stderr
    log.write_bytes(whole)
    wrong = {
        "audit.bad_signature": ("--checkpoint", _changed(last, "\n9\n", "\n8\n")),
        "audit.bad_checkpoint": ("--checkpoint", log),
        "audit.other_key": ("--checkpoint", kept, "--key", tmp_path / "other"),
        "audit.bad_key": ("--checkpoint", kept, "--key", log),
    }
    for code, given in wrong.items():
        found = call("audit", "verify", str(log), *map(str, given))
        assert (found.exit_code, found.stderr.partition(":")[0]) == (1, code)
    assert call("audit", "verify", str(log)).exit_code == 2
    assert call("audit", "export", "--store", f"sqlite:///{tmp_path / 'none.db'}").exit_code == 1


def _changed(file: Path, before: str, after: str) -> Path:
    """The same file with a change."""
    changed = file.with_name(f"{file.name}.changed")
    text = file.read_text(encoding="utf-8")
    assert before in text
    changed.write_text(text.replace(before, after, 1), encoding="utf-8")
    return changed


def test_standard_output_has_the_same_bytes(call: Call, tmp_path: Path) -> None:
    assert call("audit", "export").stdout_bytes == (tmp_path / "export").read_bytes()
    assert call("audit", "key").stdout == (tmp_path / "key").read_text(encoding="utf-8")
    assert (
        call("audit", "checkpoint").stdout.splitlines()[:3]
        == ((tmp_path / "checkpoint").read_text(encoding="utf-8").splitlines()[:3])
    )


def test_listing(call: Call) -> None:
    def numbers(*given: str) -> list[int]:
        found = call("audit", "list", "--format", "json", *given)
        assert found.exit_code == 0, found.stderr
        return [each["number"] for each in json.loads(found.stdout)]

    assert numbers() == list(range(9))
    assert numbers("--organisation", "L01") == numbers("--owner", "S1") == numbers("--action", "read") == [0, 1, 2]
    assert numbers("--limit", "2") == [7, 8]
    assert numbers("--since", "2999-01-01") == []
    assert numbers("--since", "2020-01-01") == list(range(9))
    assert "a: b" in call("audit", "list", "--format", "csv").stdout
    assert "企业" in call("audit", "list", "--lang", "zh").stdout


def test_replaying(tmp_path: Path) -> None:
    workspace, keys = shared(tmp_path)
    with workspace:
        ask(client(workspace, "L01"), "{ supplies { nodes { share } } }")
        store = workspace.store.url
    call = Call(store)
    number = json.loads(call("audit", "list", "--action", "read", "--format", "json").stdout)[0]["number"]
    found = call("audit", "replay", str(number), "--format", "json")
    said = json.loads(found.stdout)
    assert (found.exit_code, said["agree"], said["by"]) == (0, True, [keys["S1"]])
    assert said["agreements"] == sorted(keys.values())
    assert "do not" not in call("audit", "replay", str(number)).stdout
    appended = open_store(store)
    appended.append("audit", [Entry.of(Action.READ, L01, owners=("S1",), agreements=("AG-X/9",), revision=1).leaf()])
    appended.close()
    false = call("audit", "replay", str(number + 1))
    assert false.exit_code == 1
    assert "do not agree" in false.stdout
    assert call("audit", "replay", "999").exit_code == 1
