"""A watched folder: what is taken from it, what is put aside, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Actor, Workspace
from ingest import Desk, SheetDecisions
from ingest.desk.inbox import Handled, Inbox
from schema.vocabularies import DraftState

S1 = Actor("S1")
PARTS = "物料编码,名称\nA1,轴承\nA2,箱体\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        yield Desk(workspace, tmp_path / "spool")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made


def looked(desk: Desk, folder: Path, times: int = 2) -> list[Handled]:
    """What became of what is there, after so many looks."""
    handled: list[Handled] = []
    inbox = Inbox(desk, S1, folder)
    for _ in range(times):
        inbox.look(handled.append)
    return handled


def names(folder: Path) -> list[str]:
    """All that people see below a folder."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(str(path) for path in paths if not path.parts[0].startswith("."))


def test_a_clear_file_is_taken_and_lies_beside_its_receipt(desk: Desk, folder: Path) -> None:
    (folder / "parts.csv").write_text(PARTS, encoding="utf-8")
    (handled,) = looked(desk, folder)
    assert (handled.name, handled.became) == ("parts.csv", "done")
    assert names(folder) == ["done/parts.csv", "done/parts.csv.receipt.txt"]
    letter = (folder / "done" / "parts.csv.receipt.txt").read_text(encoding="utf-8-sig")
    assert f"回执 {handled.number}" in letter
    assert "parts.csv: Part, 2 rows, 2 taken, 0 known already, 0 refused" in letter
    assert desk.workspace.view("S1").table("part").height == 2
    assert desk.workspace.snapshot().table("upload")["load"].to_list() == [handled.number]


def test_a_file_is_left_while_it_changes_and_while_its_name_says_so(desk: Desk, folder: Path) -> None:
    (folder / "later.csv.part").write_text(PARTS, encoding="utf-8")
    growing = folder / "parts.csv"
    growing.write_text(PARTS, encoding="utf-8")
    handled: list[Handled] = []
    inbox = Inbox(desk, S1, folder)
    inbox.look(handled.append)
    growing.write_text(PARTS + "A3,齿轮\n", encoding="utf-8")
    assert inbox.look(handled.append) == 1
    assert handled == []
    assert inbox.look(handled.append) == 0
    (folder / "later.csv.part").rename(folder / "later.csv")
    inbox.look(handled.append)
    inbox.look(handled.append)
    assert [(each.name, each.became) for each in handled] == [("parts.csv", "done"), ("later.csv", "done")]
    assert desk.workspace.view("S1").table("part").height == 3


def test_errors_go_where_somebody_looks_with_a_report_and_the_marked_file(desk: Desk, folder: Path) -> None:
    (folder / "contains.csv").write_text("parent,child,quantity\nA,B,2\nA,C,many\n", encoding="utf-8")
    (handled,) = looked(desk, folder)
    assert (handled.became, handled.number and handled.number[:2]) == ("attention", "D-")
    assert names(folder) == [
        "attention/contains.csv", "attention/contains.csv.marked.xlsx", "attention/contains.csv.report.txt",
    ]  # fmt: skip
    letter = (folder / "attention" / "contains.csv.report.txt").read_text(encoding="utf-8-sig")
    assert '  error value.number contains.csv row 3 "quantity" [many]: It is not a number. Give a number.' in letter
    assert "第 3 行 “quantity” [many]：不是数字。" in letter
    assert f"chaingraph upload {handled.number} --as S1" in letter
    assert desk.get(S1, str(handled.number)).state is DraftState.OPEN
    assert not desk.workspace.view("S1").table("part").height


def test_questions_and_unknown_columns_need_an_answer_once(desk: Desk, folder: Path) -> None:
    file, lives = folder / "meine Teile.csv", folder / "lives.csv"
    file.write_text("物料编码,名称,谁知道\nA1,轴承,x\n", encoding="utf-8")
    lives.write_text("part,maker,age(h)\nA1,S2,100\n", encoding="utf-8")
    first = {each.name: each for each in looked(desk, folder)}
    assert [each.became for each in first.values()] == ["attention"] * 2
    letter = (folder / "attention" / "lives.csv.report.txt").read_text(encoding="utf-8-sig")
    assert "? event: No column says whether units failed or are still alive." in letter
    assert "failure (Failed); suspension (Still alive)" in letter
    letter = (folder / "attention" / f"{file.name}.report.txt").read_text(encoding="utf-8-sig")
    assert "不认识的列：谁知道" in letter
    number = str(first[file.name].number)
    desk.decide(S1, number, {file.name: SheetDecisions(columns={"2": ""})})
    desk.confirm(S1, number, desk.preview(S1, number).digest)
    desk.work_all()
    file.write_text("物料编码,名称,谁知道\nA2,箱体,y\n", encoding="utf-8")
    assert [each.became for each in looked(desk, folder)] == ["done"]


def test_what_cannot_be_read_is_put_aside(desk: Desk, folder: Path) -> None:
    contents = {"a.csv": b"", "b.xlsx": b"PK\x03\x04 no", "c.pdf": b"%PDF-1.7", f"{'d' * 240}.csv": b"\0"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "parts.csv").write_text(PARTS, encoding="utf-8")
    became = {each.name: each.became for each in looked(desk, folder)}
    assert became == {**dict.fromkeys(contents, "attention"), "parts.csv": "done"}


def test_a_folder_is_one_load(desk: Desk, folder: Path) -> None:
    month = folder / "2025-03"
    month.mkdir()
    (month / "parts.csv").write_text(PARTS, encoding="utf-8")
    (month / "contains.csv").write_text("parent,child,quantity\nA1,A2,2\n", encoding="utf-8")
    (month / "~$book.xlsx").write_bytes(b"")
    (handled,) = looked(desk, folder)
    assert (handled.name, handled.became) == ("2025-03", "done")
    assert names(folder / "done") == ["2025-03.receipt.txt", "2025-03/contains.csv", "2025-03/parts.csv"]
    assert desk.workspace.snapshot().table("upload")["load"].to_list() == [handled.number] * 2


def test_the_same_again_is_known_and_has_a_name_of_its_own(desk: Desk, folder: Path) -> None:
    for _ in range(2):
        (folder / "parts.csv").write_text(PARTS, encoding="utf-8")
        looked(desk, folder)
    assert names(folder) == [
        "done/parts (2).csv", "done/parts (2).csv.receipt.txt", "done/parts.csv", "done/parts.csv.receipt.txt",
    ]  # fmt: skip
    letter = (folder / "done" / "parts (2).csv.receipt.txt").read_text(encoding="utf-8-sig")
    assert "2 rows, 0 taken, 2 known already, 0 refused" in letter
    assert desk.workspace.snapshot().table("upload").height == 1


def test_links_are_not_followed(desk: Desk, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "parts.csv").write_text(PARTS, encoding="utf-8")
    (folder / "parts.csv").symlink_to(elsewhere / "parts.csv")
    (folder / "month").symlink_to(elsewhere)
    (folder / "real").mkdir()
    (folder / "real" / "parts.csv").symlink_to(elsewhere / "parts.csv")
    assert looked(desk, folder) == []
    assert (elsewhere / "parts.csv").exists()
    assert not desk.drafts(S1)


def test_what_comes_into_a_folder_while_it_is_taken_stays(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = folder / "2025-03"
    month.mkdir()
    (month / "parts.csv").write_text(PARTS, encoding="utf-8")
    working = desk.work

    def work(actor: Actor, number: str) -> object:
        (month / "late.csv").write_text("物料编码,名称\nA9,轴承\n", encoding="utf-8")
        return working(actor, number)

    monkeypatch.setattr(desk, "work", work)
    looked(desk, folder)
    monkeypatch.undo()
    assert names(month) == ["late.csv"]
    looked(desk, folder)
    assert names(folder / "done") == [
        "2025-03 (2).receipt.txt", "2025-03 (2)/late.csv", "2025-03.receipt.txt", "2025-03/parts.csv",
    ]  # fmt: skip
