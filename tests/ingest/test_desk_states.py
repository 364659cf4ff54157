"""What happens at the desk at once, too late, twice, or not at all."""

from __future__ import annotations

import datetime as dt
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import ingest.desk.desk
from chaingraph import Actor, ChaingraphError, Conflict, StoreError, Workspace
from chaingraph.settings import settings
from ingest import Desk, SheetDecisions, load, undo
from ingest.desk import Draft, Worker, spool_folder
from ingest.opening import Step
from ingest.reading import Limits
from schema import Text
from schema.vocabularies import DraftState
from tests.ingest.test_kill import state

S1, S2 = Actor("S1"), Actor("S2")
PARTS = "物料编码,名称\nA1,轴承\nA2,箱体\n".encode()
BAD = "物料编码,名称,age_unit\nA1,轴承,h\nA2,箱体,光年\n".encode()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        yield Desk(workspace, tmp_path / "spool")


def brought(desk: Desk, content: bytes = PARTS, name: str = "parts.csv", actor: Actor = S1) -> str:
    draft = desk.create(actor, [(name, len(content))])
    desk.append(actor, draft.id, 0, 0, [content])
    return draft.id


def confirmed(desk: Desk, content: bytes = PARTS, name: str = "parts.csv", actor: Actor = S1) -> str:
    number = brought(desk, content, name, actor)
    desk.confirm(actor, number, desk.preview(actor, number).digest)
    return number


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What came of calls in threads that start together: a result, or the code of the refusal."""
    start, came = threading.Barrier(len(calls)), dict[int, object]()

    def run(place: int, call: Callable[[], object]) -> None:
        start.wait()
        try:
            came[place] = call()
        except ChaingraphError as error:
            came[place] = error.code

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [came[place] for place in range(len(calls))]


def loads(workspace: Workspace) -> int:
    workspace.follow()
    return workspace.snapshot().table("upload").height


# at once


def test_of_two_who_confirm_one_does(desk: Desk) -> None:
    number = brought(desk)
    seen = desk.preview(S1, number).digest
    came = at_once(*[lambda: desk.confirm(S1, number, seen)] * 4)
    assert sorted(str(each) for each in came if isinstance(each, str)) == ["upload.state"] * 3
    assert [each.state for each in came if isinstance(each, Draft)] == [DraftState.CONFIRMED]


def test_what_is_withdrawn_while_it_is_confirmed_is_the_one_or_the_other(desk: Desk) -> None:
    for _ in range(5):
        number = brought(desk)
        seen = desk.preview(S1, number).digest
        at_once(partial(desk.confirm, S1, number, seen), partial(desk.withdraw, S1, number))
        left = desk.get(S1, number)
        assert left.state in {DraftState.CONFIRMED, DraftState.WITHDRAWN}
        desk.work_all()
        assert bool(loads(desk.workspace)) is (left.state is DraftState.CONFIRMED)
        if left.state is DraftState.CONFIRMED:
            desk.withdraw(S1, number)
            break


def test_two_workers_take_a_draft_once(desk: Desk) -> None:
    number = confirmed(desk)
    other = Desk(desk.workspace, desk._spool.folder)
    came = at_once(lambda: desk.work(S1, number), lambda: other.work(S1, number), desk.work_all, other.work_all)
    assert [each.state for each in came[:2] if isinstance(each, Draft)] == [DraftState.LOADED] * 2
    assert desk.get(S1, number).report is not None
    assert len(list(desk.workspace.store.journal())) == 1


SENDER = """
import sys
from pathlib import Path
from chaingraph import Actor, Conflict, Workspace
from ingest import Desk

url, spool, number, letter = sys.argv[1:]
with Workspace.open(url) as workspace:
    desk, there = Desk(workspace, Path(spool)), 0
    while there < 4_000_000:
        try:
            desk.append(Actor("S1"), number, 0, there, [letter.encode() * 1_000_000])
        except Conflict as error:
            print(error.code)
        there = desk.received(Actor("S1"), number)[0]
"""


def test_bytes_of_two_processes_never_mix(desk: Desk, tmp_path: Path) -> None:
    draft = desk.create(S1, [("a.csv", 4_000_000)])
    command = [sys.executable, "-c", SENDER, desk.workspace.store.url, str(tmp_path / "spool"), draft.id]
    senders = [subprocess.Popen([*command, letter], cwd=ROOT, stdout=subprocess.PIPE, text=True) for letter in "ab"]
    codes = {line for sender in senders for line in sender.communicate(timeout=60)[0].split()}
    assert codes <= {"upload.offset"}
    content = desk.path(S1, draft.id, 0).read_bytes()
    assert [len(set(content[at : at + 1_000_000])) for at in range(0, len(content), 1_000_000)] == [1, 1, 1, 1]


def test_what_came_before_a_connection_broke_stays(desk: Desk) -> None:
    draft = desk.create(S1, [("parts.csv", len(PARTS))])

    def pieces() -> Iterator[bytes]:
        yield PARTS[:9]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        desk.append(S1, draft.id, 0, 0, pieces())
    assert desk.received(S1, draft.id) == [9]
    desk.append(S1, draft.id, 0, 9, [PARTS[9:]])
    assert desk.preview(S1, draft.id).ready


# too little, too much


def test_what_is_not_all_there_is_neither_shown_nor_taken(desk: Desk) -> None:
    draft = desk.create(S1, [("parts.csv", len(PARTS)), ("more.csv", None)])
    desk.append(S1, draft.id, 0, 0, [PARTS[:-1]])
    for call in (lambda: desk.preview(S1, draft.id), lambda: desk.confirm(S1, draft.id, "")):
        with pytest.raises(Conflict, match=rf"upload\.incomplete: Of parts\.csv there are {len(PARTS) - 1} bytes of"):
            call()
    desk.append(S1, draft.id, 0, len(PARTS) - 1, [PARTS[-1:]])
    with pytest.raises(Conflict, match=r"upload\.incomplete: Of more\.csv there are 0 bytes\."):
        desk.preview(S1, draft.id)


def test_more_than_was_announced_is_refused(desk: Desk) -> None:
    draft = desk.create(S1, [("parts.csv", 3)])
    with pytest.raises(ChaingraphError, match=r"upload\.longer"):
        desk.append(S1, draft.id, 0, 0, [PARTS])
    assert desk.received(S1, draft.id) == [0]


def test_a_file_of_no_bytes_is_there_and_says_so(desk: Desk) -> None:
    draft = desk.create(S1, [("parts.csv", 0)])
    seen = desk.preview(S1, draft.id)
    assert [each.code for each in seen.report.findings] == ["file.empty"]
    with pytest.raises(Conflict, match=r"upload\.not_ready"):
        desk.confirm(S1, draft.id, seen.digest)


def test_there_is_room_for_so_much(tmp_path: Path) -> None:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        desk = Desk(workspace, tmp_path / "spool", Limits(csv_bytes=100, xlsx_bytes=100), quota=150)
        with pytest.raises(ChaingraphError, match=r"upload\.too_large"):
            desk.create(S1, [("a.csv", 101)])
        with pytest.raises(ChaingraphError, match=r"upload\.quota"):
            desk.create(S1, [("a.csv", 90), ("b.csv", 90)])
        draft = desk.create(S1, [("a.csv", None), ("b.csv", None)])
        with pytest.raises(ChaingraphError, match=r"upload\.too_large"):
            desk.append(S1, draft.id, 0, 0, [b"x" * 101])
        desk.append(S1, draft.id, 0, 0, [b"x" * 90])
        with pytest.raises(ChaingraphError, match=r"upload\.quota"):
            desk.append(S1, draft.id, 1, 0, [b"x" * 90])
        desk.append(S2, desk.create(S2, [("a.csv", 90)]).id, 0, 0, [b"x" * 90])
        with pytest.raises(ChaingraphError, match=r"upload\.too_many"):
            desk.create(S1, [("a.csv", None)] * 51)


def test_files_of_one_name_are_told_apart(desk: Desk) -> None:
    draft = desk.create(S1, [("a.csv", None), ("dir/a.csv", None), ("..\\A.CSV", None), ("", None)])
    assert [file.name for file in draft.files] == ["a.csv", "a (2).csv", "A.CSV", "upload"]
    for index in range(4):
        desk.append(S1, draft.id, index, 0, [PARTS if index else b"number\nB1\n"])
    assert [sheet.name for sheet in desk.preview(S1, draft.id).sheets] == ["a.csv", "a (2).csv", "A.CSV"]


def test_names_of_any_length_are_taken(desk: Desk) -> None:
    draft = desk.create(S1, [(f"{letter * 300}.csv", None) for letter in ("件", "🙂", "é", "x")])
    for index in range(4):
        desk.append(S1, draft.id, index, 0, [PARTS])
    assert len(desk.preview(S1, draft.id).sheets) == 4


def test_nobody_else_reads_the_files(desk: Desk, tmp_path: Path) -> None:
    brought(desk)
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


# what is taken


def test_the_receipt_says_what_became_of_each_sheet(desk: Desk) -> None:
    number = confirmed(desk, BAD)
    done = desk.work(S1, number)
    receipt = done.receipt
    assert receipt is not None
    assert receipt.number == done.load
    sheet = receipt.sheets[0]
    assert (sheet.file, sheet.kind, sheet.rows, sheet.taken, sheet.refused) == ("parts.csv", "part", 2, 1, 1)
    uploads = desk.workspace.snapshot().table("upload")
    assert uploads.select("key", "load").rows() == [(sheet.upload, receipt.number)]


def test_the_receipt_is_there_when_nobody_lived_to_write_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    number = confirmed(desk, BAD)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> Draft:
        raise Killed

    monkeypatch.setattr(desk, "_finished", killed)
    with pytest.raises(Killed):
        desk.work(S1, number)
    monkeypatch.undo()
    done = desk.get(S1, number)
    assert done.state is DraftState.LOADED
    assert done.receipt is not None
    assert [(s.file, s.rows, s.taken, s.refused) for s in done.receipt.sheets] == [("parts.csv", 2, 1, 1)]
    assert desk.work(S1, number) == done
    assert len(list(desk.workspace.store.journal())) == 1


def test_an_error_of_ours_refuses_the_draft_and_is_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    number = confirmed(desk)

    def broken(step: Step) -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        done = desk.work(S1, number, broken)
    assert (done.state, done.problem and done.problem[0]) == (DraftState.REFUSED, "upload.failed")
    assert "ZeroDivisionError" in caplog.text
    assert not loads(desk.workspace)


def test_an_error_after_the_commit_loses_nothing(desk: Desk) -> None:
    number = confirmed(desk)

    def broken(step: Step) -> None:
        if step.stage == "write" and step.done == step.total:
            raise ZeroDivisionError

    assert desk.work(S1, number, broken).state is DraftState.LOADED
    assert loads(desk.workspace) == 1


def test_a_store_that_is_away_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    number = confirmed(desk)
    loading, tried = load, threading.Event()

    def away(*_: object, **__: object) -> None:
        tried.set()
        raise StoreError("store.unreachable", Text("不通", "It does not answer."))

    monkeypatch.setattr(ingest.desk.desk, "load", away)
    done = threading.Event()
    with Worker(desk, every=0.02):
        assert tried.wait(10)
        assert desk.get(S1, number).state is DraftState.CONFIRMED

        def here(*given: object, **named: object) -> object:
            report = loading(*given, **named)  # type: ignore[arg-type]
            done.set()
            return report

        monkeypatch.setattr(ingest.desk.desk, "load", here)
        assert done.wait(10)
    assert desk.get(S1, number).state is DraftState.LOADED


def test_a_worker_takes_what_was_left_and_what_it_is_told_of(desk: Desk) -> None:
    left = confirmed(desk)
    taken = {number: threading.Event() for number in ("first", "second")}

    def watched(folder: Path, event: threading.Event) -> Callable[[], None]:
        def look() -> None:
            while folder.exists() and not event.wait(0.01):
                pass

        return look

    with Worker(desk, every=3600) as worker:
        first = threading.Thread(target=watched(desk.path(S1, left, 0), taken["first"]))
        first.start()
        first.join(20)
        number = confirmed(desk, PARTS + "A3,齿轮\n".encode())
        worker.tell()
    # whatever it was told of is taken before it ends, or waits for the next
    with Worker(desk, every=3600):
        path = desk._spool.path(number, "S1", 0, "parts.csv")
        second = threading.Thread(target=watched(path, taken["second"]))
        second.start()
        second.join(20)
    assert [desk.get(S1, each).state for each in (left, number)] == [DraftState.LOADED] * 2


def test_what_was_confirmed_on_another_machine_stays_confirmed(desk: Desk, tmp_path: Path) -> None:
    number = confirmed(desk)
    elsewhere = Desk(desk.workspace, tmp_path / "elsewhere")
    assert elsewhere.work(S1, number).state is DraftState.CONFIRMED
    assert elsewhere.work_all() == []
    assert desk.work(S1, number).state is DraftState.LOADED


def test_what_changes_between_preview_and_confirmation_is_looked_at_again(desk: Desk) -> None:
    number = brought(desk)
    seen = desk.preview(S1, number).digest
    desk.decide(S1, number, {"parts.csv": SheetDecisions(columns={"1": ""})})
    with pytest.raises(Conflict, match=r"upload\.changed"):
        desk.confirm(S1, number, seen)
    seen = desk.preview(S1, number).digest
    confirmed(desk, b"number,name_zh\nA1,x\n", "x.csv")
    desk.work_all()
    with pytest.raises(Conflict, match=r"upload\.changed"):
        desk.confirm(S1, number, seen)


def test_what_changes_after_the_confirmation_opens_the_draft_again(desk: Desk) -> None:
    number = confirmed(desk)
    other = desk.workspace
    (file := desk._spool.folder / "parts.csv").write_bytes("物料编码,名称\nA1,别的\n".encode())
    load(other, [file], by="S1")
    done = desk.work(S1, number)
    assert (done.state, done.problem and done.problem[0]) == (DraftState.OPEN, "upload.changed")
    desk.confirm(S1, number, desk.preview(S1, number).digest)
    assert desk.work(S1, number).state is DraftState.LOADED


# what is taken back


def test_taking_back_leaves_what_others_brought(desk: Desk) -> None:
    theirs = confirmed(desk, b"number,issuer,name_zh\nA1,S2,x\nA2,S2,y\n", "theirs.csv", S2)
    desk.work(S2, theirs)
    before = state(desk.workspace)
    number = confirmed(desk)
    desk.work(S1, number)
    assert state(desk.workspace) != before
    assert desk.withdraw(S1, number).state is DraftState.WITHDRAWN
    after = state(desk.workspace)
    mine = {name for name in after if after[name] != before[name]}
    assert mine == {"upload"}
    assert [row for row in after["upload"] if row in before["upload"]] == before["upload"]
    revision = desk.workspace.snapshot().revision
    assert desk.withdraw(S1, number).state is DraftState.WITHDRAWN
    desk.workspace.follow()
    assert desk.workspace.snapshot().revision == revision


def test_what_brought_nothing_new_is_taken_back_without_harm(desk: Desk) -> None:
    first, again = confirmed(desk), confirmed(desk, PARTS, "again.csv")
    desk.work_all()
    done = desk.get(S1, again)
    assert done.state is DraftState.LOADED
    assert done.receipt is not None
    assert (done.receipt.taken, done.receipt.number == desk.get(S1, first).load) == (0, False)
    before = state(desk.workspace)
    assert desk.withdraw(S1, again).state is DraftState.WITHDRAWN
    assert state(desk.workspace) == before
    desk.withdraw(S1, first)
    assert not desk.workspace.view("S1").table("part").height


def test_what_was_undone_by_its_number_is_not_taken_again(desk: Desk) -> None:
    number = confirmed(desk)
    desk.work(S1, number)
    receipt = desk.get(S1, number).receipt
    assert receipt is not None
    undo(desk.workspace, receipt.number)
    desk.work_all()
    assert not desk.workspace.view("S1").table("part").height
    assert desk.withdraw(S1, number).state is DraftState.WITHDRAWN


# what is kept


def test_files_go_when_taken_and_stay_while_something_was_refused(desk: Desk) -> None:
    good, bad = confirmed(desk), confirmed(desk, BAD.replace(b"A", b"B"), "bad.csv")
    paths = [desk.path(S1, number, 0) for number in (good, bad)]
    desk.work_all()
    assert [path.exists() for path in paths] == [False, True]
    assert desk.look(S1, bad).report.refused
    with pytest.raises(Conflict, match=r"upload\.files_gone"):
        desk.look(S1, good)


def test_what_nobody_goes_on_with_expires(desk: Desk) -> None:
    forgotten, waiting, bad = brought(desk), confirmed(desk, PARTS, "b.csv"), confirmed(desk, BAD.replace(b"A", b"B"))
    desk.work(S1, bad)
    stray = desk._spool.path("D-000000000000", "S9", 0, "x.csv")
    desk._spool.touch(stray)
    now = dt.datetime.now(dt.UTC)
    assert desk.sweep(now + dt.timedelta(hours=71)) == 0
    assert stray.exists()
    assert desk.sweep(now + dt.timedelta(hours=73)) == 2
    assert not stray.exists()
    gone = desk.get(S1, forgotten)
    assert (gone.state, gone.problem and gone.problem[0]) == (DraftState.WITHDRAWN, "upload.expired")
    assert desk.received(S1, bad) == [0]
    assert desk.work(S1, waiting).state is DraftState.LOADED
    assert desk.sweep(now + dt.timedelta(days=40)) == 3
    assert desk.drafts(S1) == []
    assert loads(desk.workspace)


def test_what_was_confirmed_and_has_lost_its_files_is_given_up(desk: Desk) -> None:
    number = confirmed(desk)
    desk._spool.drop(number, "S1")
    assert desk.work(S1, number).state is DraftState.CONFIRMED
    desk.sweep(dt.datetime.now(dt.UTC) + dt.timedelta(hours=73))
    lost = desk.get(S1, number)
    assert (lost.state, lost.problem and lost.problem[0]) == (DraftState.REFUSED, "upload.files_gone")


def test_files_wait_beside_the_store_or_where_the_setting_says(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spool_folder(desk.workspace) == tmp_path / "graph.db.uploads"
    monkeypatch.setitem(os.environ, "CHAINGRAPH_SPOOL", str(tmp_path / "elsewhere"))
    settings.cache_clear()
    try:
        assert spool_folder(desk.workspace).parent == tmp_path / "elsewhere"
    finally:
        monkeypatch.undo()
        settings.cache_clear()
