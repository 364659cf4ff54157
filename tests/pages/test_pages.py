"""The upload pages without a script: what is shown, decided, confirmed; what is refused; and in which language."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pyotp
import pytest

from chaingraph import Actor, Workspace
from ingest import Desk
from schema.vocabularies import AccessRole, DraftState
from server.api.app import Settings, create_app
from server.auth.accounts import Accounts
from server.auth.authenticator import Authenticator
from server.auth.routes import Routes
from server.pages import Site
from tests.chaingraph.world import change, rows
from tests.ingest.files import shared
from tests.pages.browsing import Browser

ROOT = Path(__file__).parents[2]
PARTS = "物料编码,名称,寿命单位\nA1,轴承,小时\nA2,箱体,光年\n".encode()
Open = Callable[..., Browser]


def sent(browser: Browser, content: bytes, name: str = "parts.csv") -> str:
    browser.open("/upload")
    return browser.press("/upload", files={name: content})


def test_from_the_drop_to_the_receipt_and_back(browser: Open, desk: Desk, space: Workspace) -> None:
    clerk = browser()
    said = sent(clerk, PARTS)
    assert "请核对" in said
    assert 'class="error">光年' in said, "the cell at fault is marked where it stands"
    assert "确认之后，除贵方外无人可以看到" in said
    assert not space.view("S1").table("part").height
    said = clerk.press(clerk.path, do="confirm")
    assert "正在入库" in said
    desk.work_all()
    said = clerk.open(clerk.path)
    (draft,) = desk.drafts(Actor("S1"))
    assert draft.receipt is not None
    assert draft.receipt.number in said
    assert space.view("S1").table("part")["key"].to_list() == ["S1/A1"]
    clerk.open("/upload")
    assert draft.receipt.number in clerk.page.text
    clerk.press(f"/upload/{draft.id}", do="withdraw")
    assert "已撤回" in clerk.page.text
    assert not space.view("S1").table("part").height


def test_suggested_columns_are_accepted_with_one_press(browser: Open, desk: Desk) -> None:
    clerk = browser()
    said = sent(clerk, "物料编码,物料的名称\nA1,轴承\n".encode())
    assert "采用全部建议的列" in said
    clerk.press(clerk.path, do="suggest")
    (draft,) = desk.drafts(Actor("S1"))
    assert draft.decisions["parts.csv"].columns == {"1": "name_zh"}
    assert "采用全部建议的列" not in clerk.page.text


def test_a_question_is_answered_and_what_changed_is_shown_again(browser: Open, desk: Desk) -> None:
    clerk = browser()
    said = sent(clerk, "物料编码,累计运行时间(h)\nA1,100\nA2,200\n".encode(), "台账.csv")
    assert "这些行都是" in said
    name = next(each for each in clerk.form(clerk.path).choices if each.endswith(":event"))
    answered = clerk.press(clerk.path, {name: "suspension"}, do="confirm")
    assert "选择已记下" in answered, "choices that were not shown yet are not confirmed unseen"
    assert desk.drafts(Actor("S1"))[0].state is DraftState.OPEN
    clerk.press(clerk.path, do="confirm")
    desk.work_all()
    assert desk.workspace.view("S1").table("life_record")["event"].to_list() == ["suspension"] * 2


def test_the_kind_can_be_chosen(browser: Open, desk: Desk) -> None:
    clerk = browser()
    sent(clerk, "叫法,批次\nA1,1\n".encode(), "x.csv")
    clerk.press(clerk.path, {"kind:0": "part"})
    clerk.press(clerk.path, {"column:0:0": "number", "column:0:1": "-"})
    decided = desk.drafts(Actor("S1"))[0].decisions["x.csv"]
    assert (decided.kind, dict(decided.columns)) == ("part", {"0": "number", "1": ""})


def test_what_is_confirmed_can_be_shared_in_the_same_breath(browser: Open, desk: Desk, space: Workspace) -> None:
    clerk = browser()
    sent(clerk, PARTS)
    assert "请选择与谁共享" in clerk.press(clerk.path, do="confirm", preset="customer")
    assert "不能与自己" in clerk.press(clerk.path, do="confirm", preset="customer", whom="S1")
    assert desk.drafts(Actor("S1"))[0].state is DraftState.OPEN
    clerk.press(clerk.path, do="confirm", preset="customer", whom="L01")
    assert desk.drafts(Actor("S1"))[0].state is DraftState.CONFIRMED
    (row,) = space.view("S1").table("agreement").to_dicts()
    assert (row["owner"], row["grantee"], row["state"]) == ("S1", "L01", "proposed")


def test_both_languages(browser: Open) -> None:
    clerk = browser()
    assert "上传并查看" in clerk.open("/upload")
    assert "Send and look" in clerk.open("/upload?lang=en")
    assert "Send and look" in clerk.open("/upload"), "the choice is kept"
    assert "Look, then confirm" in sent(clerk, PARTS)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.csv", '"><img src=x>.csv', "..\\..\\x.csv"])
def test_hostile_texts_are_shown_as_texts(browser: Open, name: str) -> None:
    clerk = browser()
    said = sent(clerk, b'number,name_zh,"<b onclick=1>"\nA1,<script>x</script>,=cmd|1\n', name)
    assert "<script>x" not in said
    assert "<b onclick" not in said
    assert "<img src=x>" not in said
    assert "&lt;script&gt;x" in said
    assert "script-src 'self'" in clerk.page.headers["content-security-policy"]


def test_a_form_of_another_site_is_refused(browser: Open, desk: Desk) -> None:
    clerk = browser()
    sent(clerk, PARTS)
    number = desk.drafts(Actor("S1"))[0].id
    for forged in ("", "0" * 64):
        clerk.open(f"/upload/{number}")
        clerk.press(f"/upload/{number}", form=forged, do="withdraw")
        assert clerk.page.status_code == 403
    stranger = browser()
    stranger.open(f"/upload/{number}")
    theirs = stranger.form(f"/upload/{number}").fields["form"]
    clerk.open(f"/upload/{number}")
    clerk.press(f"/upload/{number}", form=theirs, do="withdraw")
    assert clerk.page.status_code == 403, "what another browser was given is not good here"
    assert desk.drafts(Actor("S1"))[0].state is DraftState.OPEN


def test_another_organisations_upload_is_not_there(browser: Open, desk: Desk) -> None:
    sent(browser(), PARTS)
    number = desk.drafts(Actor("S1"))[0].id
    other = browser("S2")
    for path in (f"/upload/{number}", f"/upload/{number}/marked/0.xlsx", "/upload/D-000000000000"):
        other.open(path)
        assert other.page.status_code == 404
        assert "parts.csv" not in other.page.text
    assert "parts.csv" not in other.open("/upload")


def test_who_may_not_upload_is_told_so(browser: Open) -> None:
    analyst = browser("S1", AccessRole.ANALYST)
    assert "不能上传" in analyst.open("/upload")
    assert analyst.page.status_code == 403


def test_the_file_comes_back_marked_and_templates_are_filled(browser: Open, desk: Desk) -> None:
    clerk = browser()
    sent(clerk, PARTS)
    path = clerk.path
    clerk.open(f"{path}/marked/0.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(clerk.page.content))
    marks = [cell.coordinate for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.comment]
    assert "C3" in marks
    clerk.open(path)
    clerk.press(path, do="confirm")
    desk.work_all()
    clerk.open("/upload/template/part.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(clerk.page.content))
    assert "A1" in {cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row}


def test_the_quality_page_says_what_to_mend(browser: Open, desk: Desk) -> None:
    clerk = browser()
    assert "还没有数据" in clerk.open("/upload/quality")
    sent(clerk, "id,name_zh\nS1,一厂\n".encode(), "organisations.csv")
    clerk.press(clerk.path, do="confirm")
    sent(clerk, PARTS)
    clerk.press(clerk.path, do="confirm")
    desk.work_all()
    assert "补充" in clerk.open("/upload/quality")


def test_what_a_page_shows_of_others_is_in_the_log(browser: Open, desk: Desk, space: Workspace) -> None:
    shared(space, "L01")
    theirs = rows("supplies", {"part": "L01/B", "supplier": "S1", "customer": "L01", "lead_time_days": 30.0})
    mine = rows("supplies", {"part": "L01/B", "supplier": "S1", "customer": "L01", "lead_time_days": 60.0}, owner="S1")
    firms = rows("organisation", {"id": "L01"}, {"id": "S1", "owner": "S1"})
    space.submit(change(supplies=pl.concat([theirs, mine]).sort("key"), organisation=firms))
    before = len(list(space.store.leaves("audit")))
    assert "L01: 30.0" in browser().open("/upload/quality")
    (leaf,) = list(space.store.leaves("audit"))[before:]
    assert b"data_quality" in leaf
    assert b"L01" in leaf


def test_joining_logging_in_and_leaving_without_a_script(space: Workspace, desk: Desk) -> None:
    accounts = Accounts(space)
    authenticate = Authenticator(space, local=accounts)
    site = Site(space, desk, authenticate=authenticate, accounts=accounts)
    routes = [*Routes(accounts, "en").routes, *site.routes]
    app = create_app(space, Settings(authenticate=authenticate, desk=desk, routes=routes, open=Site.OPEN))
    person = Browser(app)
    person.open("/upload")
    assert person.path == "/auth/login", "who has no session logs in"
    code, _ = accounts.invite(Actor(), "S1", AccessRole.SUPPLIER)
    person.open("/auth/join")
    said = person.press(
        "/auth/join/form", invitation=f"http://chaingraph.test/auth/join#{code}", name="clerk", password="short"
    )
    assert person.page.status_code == 422
    assert "密码不合要求" in said
    person.press("/auth/join/form", name="clerk", password="a long enough one")
    secret = person.page.text.partition('id="secret">')[2].partition("<")[0]
    person.press("/auth/login/form", password="a long enough one", code="000000")
    assert person.page.status_code == 401
    person.press("/auth/login/form", password="a long enough one", code=pyotp.TOTP(secret).now())
    assert person.path == "/upload"
    cookie = next(each for each in person.cookies.jar if each.name == "chaingraph")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert "请核对" in sent(person, PARTS)
    person.open("/upload")
    person.press("/auth/leave")
    person.open("/upload")
    assert person.path == "/auth/login"
