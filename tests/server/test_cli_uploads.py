"""Uploads step by step on the command line: upload, uploads, upload-show, withdraw, watch."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Actor, Workspace
from ingest.desk import Desk, spool_folder
from tests.server.cli import Call

ROOT = Path(__file__).parents[2]
PARTS = "物料编码,名称\nA1,轴承\nA2,箱体\n"
LIVES = "part,maker,age(h)\nA1,S2,100\nA1,S2,200\n"
AS = ("--as", "S1")


@pytest.fixture
def parts(tmp_path: Path) -> str:
    file = tmp_path / "parts.csv"
    file.write_text(PARTS, encoding="utf-8")
    return str(file)


@pytest.fixture
def lives(tmp_path: Path) -> str:
    file = tmp_path / "lives.csv"
    file.write_text(LIVES, encoding="utf-8")
    return str(file)


def counts(call: Call, *kinds: str) -> list[int]:
    with Workspace.open(call.store) as workspace:
        return [workspace.view().count(kind) for kind in kinds]


def given(call: Call, *words: str) -> Any:
    """The answer as JSON; the command must have ended well."""
    told = call(*words, "--format", "json")
    assert told.exit_code == 0, told.stderr
    return json.loads(told.stdout)


def test_what_is_not_confirmed_is_shown_and_waits(call: Call, parts: str) -> None:
    told = call("upload", parts, *AS)
    assert told.exit_code == 0, told.stderr
    assert "parts.csv — Part, 2 rows" in told.stdout
    assert [line.split()[:5] for line in told.stdout.splitlines() if line.startswith(("A ", "B "))] == [
        ["A", "物料编码", "number", "Known", "name"], ["B", "名称", "name_zh", "Known", "name"],
    ]  # fmt: skip
    assert counts(call, "part", "upload") == [0, 0]
    (listed,) = given(call, "uploads", *AS)
    assert (listed["state"], listed["files"], listed["receipt"]) == ("open", ["parts.csv"], None)
    assert f"upload {listed['number']} --as S1" in told.stderr
    assert given(call, "uploads", "--as", "S2") == []
    shown = given(call, "upload-show", listed["number"], *AS)
    assert (shown["preview"]["ready"], shown["received"]) == (True, [len(PARTS.encode())])
    assert given(call, "upload", listed["number"], *AS, "--yes")["state"] == "loaded"
    assert counts(call, "part", "upload") == [2, 1]


def test_what_is_confirmed_has_a_receipt_by_which_it_is_shown_and_withdrawn(call: Call, parts: str) -> None:
    told = call("upload", parts, *AS, "--yes", "--lang", "zh")
    assert told.exit_code == 0, told.stderr
    number = next(line.split()[1] for line in told.stdout.splitlines() if line.startswith("回执 L-"))
    assert f"withdraw {number} --as S1" in told.stdout
    shown = given(call, "upload-show", number, *AS)
    assert (shown["state"], shown["receipt"]["sheets"][0]["taken"]) == ("loaded", 2)
    assert call("upload-show", number, "--as", "S2").exit_code == 1
    refused = call("withdraw", number, "--as", "S2")
    assert (refused.exit_code, refused.stderr[:14]) == (1, "upload.unknown")
    for _ in range(2):
        assert given(call, "withdraw", number, *AS)["state"] == "withdrawn"
    assert counts(call, "part") == [0]
    assert [each["state"] for each in given(call, "uploads", *AS)] == ["withdrawn"]


def test_what_was_confirmed_and_not_taken_is_taken_by_whoever_goes_on(call: Call, parts: str) -> None:
    number = given(call, "upload", parts, *AS)["number"]
    with Workspace.open(call.store) as workspace:
        desk, actor = Desk(workspace, spool_folder(workspace)), Actor("S1")
        desk.confirm(actor, number, desk.preview(actor, number).digest)
    for _ in range(2):
        assert given(call, "upload", number, *AS)["receipt"]["sheets"][0]["taken"] == 2
    assert counts(call, "part", "upload") == [2, 1]


def test_questions_are_answered_by_an_option(call: Call, lives: str) -> None:
    told = call("upload", lives, *AS)
    assert told.exit_code == 1
    assert "event" in told.stdout
    assert told.stderr.splitlines()[-1].startswith("upload.not_ready: D-")
    number = given(call, "uploads", *AS)[0]["number"]
    wrong = call("upload", number, *AS, "--answer", "lives.csv:event=perhaps")
    assert wrong.exit_code == 1
    assert "decisions.unclear" in wrong.stderr
    assert "The answers are: failure, suspension." in wrong.stderr
    taken = given(call, "upload", number, *AS, "--answer", "lives.csv:event=suspension", "--yes")
    assert taken["receipt"]["sheets"][0]["taken"] == 2
    with Workspace.open(call.store) as workspace:
        assert set(workspace.view().table("life_record")["event"]) == {"suspension"}


def test_kinds_and_columns_are_said_by_name_letter_or_heading(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("件的号,叫法,别的\nA1,轴承,1\n", encoding="utf-8")
    words = ("upload", str(file), *AS, "--kind", "x.csv=零部件", "--column", "x.csv:件的号=number")
    taken = given(call, *words, "--column", "B=名称", "--column", "c=", "--yes")
    columns = taken["preview"]["sheets"][0]["columns"]
    assert [(each["letter"], each["field"], each["how"]) for each in columns] == [
        ("A", "number", "chosen"), ("B", "name_zh", "chosen"), ("C", None, "aside"),
    ]  # fmt: skip
    again = given(call, "upload", str(file), *AS)
    assert again["preview" if "preview" in again else "sheets"][0]["remembered"]


@pytest.mark.parametrize(
    ("option", "word", "said"),
    [
        ("--kind", "y.csv=parts", "The sheets are: parts.csv"),
        ("--kind", "parts.csv=nonsense", "There is no kind of sheet nonsense"),
        ("--column", "parts.csv:Z=number", "The columns are: A (物料编码), B (名称)"),
        ("--column", "parts.csv:A=colour", "The fields are: number, issuer"),
        ("--answer", "parts.csv:event=failure", "The questions are: –"),
        ("--leave", "Sheet9", "The sheets are: parts.csv"),
    ],
    ids=["sheet", "kind", "column", "field", "question", "left out"],
)
def test_what_is_not_clear_names_what_there_is(call: Call, parts: str, option: str, word: str, said: str) -> None:
    told = call("upload", parts, *AS, option, word)
    assert told.exit_code == 1
    assert said in told.stderr


def test_good_rows_are_taken_bad_ones_listed_and_the_status_is_1(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "parts.csv"
    file.write_text("物料编码,age_unit\nA1,h\nA2,光年\n", encoding="utf-8")
    told = call("upload", str(file), *AS, "--yes", "--format", "csv")
    assert told.exit_code == 1
    assert "load.refused: Refused: rows 1. The rest was taken." in told.stderr
    (row,) = [row for row in csv.DictReader(io.StringIO(told.stdout)) if row["Severity"] == "error"]
    assert (row["Code"], row["Row"], row["Value"]) == ("value.unknown_code", "3", "光年")
    strict = call("upload", str(file), *AS, "--yes", "--strict")
    assert strict.exit_code == 1
    assert "Nothing was taken." in strict.stderr


def test_sheets_can_be_left_out(call: Call, parts: str, lives: str) -> None:
    taken = given(call, "upload", parts, lives, *AS, "--leave", "lives.csv", "--yes")
    assert [each["file"] for each in taken["receipt"]["sheets"] if each["taken"]] == ["parts.csv"]
    assert counts(call, "part", "life_record") == [2, 0]


def test_what_load_brought_is_listed_shown_and_withdrawn_too(call: Call, parts: str) -> None:
    assert call("load", parts, *AS).exit_code == 0
    (listed,) = given(call, "uploads", *AS)
    assert (listed["state"], listed["taken"], listed["number"][:2]) == ("loaded", 2, "L-")
    assert given(call, "upload-show", listed["number"], *AS)[0]["file"] == "parts.csv"
    given(call, "withdraw", listed["number"], *AS)
    assert given(call, "uploads", *AS)[0]["state"] == "undone"
    assert counts(call, "part") == [0]


def test_a_terminal_is_asked(call: Call, lives: str) -> None:
    """The questions of the preview, and whether all of it is to be taken."""
    parent, child = pty.openpty()
    environment = {**os.environ, "CHAINGRAPH_STORE": call.store, "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    command = [sys.executable, "-m", "server", "upload", lives, *AS]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=child, stderr=child, stdout=child)
    os.close(child)
    said, answers = "", [("suspension)", "failure\n"), ("[y/N]", "y\n")]
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end and select.select([parent], [], [], 60)[0]:
            try:
                piece = os.read(parent, 65536)
            except OSError:  # so a terminal ends on Linux
                break
            if not piece:
                break
            said += piece.decode(errors="replace")
            if answers and answers[0][0] in said.split("All rows are")[-1] and said.rstrip().endswith(":"):
                os.write(parent, answers.pop(0)[1].encode())
    finally:
        os.close(parent)
    assert process.wait(60) == 0, said
    assert not answers
    assert counts(call, "life_record") == [2]


def test_a_watched_folder_is_emptied_once(call: Call, tmp_path: Path, parts: str) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    Path(parts).rename(folder / "parts.csv")
    (folder / "broken.csv").write_bytes(b"")
    told = call("watch", str(folder), *AS, "--once", "--every", "0.01", "--format", "json")
    assert told.exit_code == 1
    assert "watch.attention: 1 need attention." in told.stderr
    assert [(each["file"], each["became"]) for each in json.loads(told.stdout)] == [
        ("broken.csv", "attention"), ("parts.csv", "done"),
    ]  # fmt: skip
    assert counts(call, "part") == [2]
    assert given(call, "watch", str(folder), *AS, "--once", "--every", "0.01") == []


def test_a_folder_is_watched_until_it_is_told_to_end(call: Call, tmp_path: Path, parts: str) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    environment = {**os.environ, "CHAINGRAPH_STORE": call.store, "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "server", "watch", str(folder), *AS, "--every", "0.05"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    Path(parts).rename(folder / "parts.csv")
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert line.startswith("parts.csv: Taken L-"), line + rest
    assert (folder / "done" / "parts.csv").exists()
