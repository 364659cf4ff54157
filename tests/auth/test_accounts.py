"""Local accounts: invitations that are good once, passwords with a second factor, guessing that is slowed down."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from typing import Any

import httpx
import pyotp
import pytest
from starlette.applications import Starlette

from chaingraph import Action, Actor, ChaingraphError, NotFound, Workspace
from schema.vocabularies import AccessRole
from server.auth import factors
from server.auth.accounts import SESSIONS, Accounts, Joined
from server.auth.routes import BODY
from server.auth.throttle import REMEMBERED, Throttle
from tests.auth.asking import UNKNOWN, code, me, served
from tests.auth.test_tokens import entries, everything
from tests.server.cli import Call
from tests.server.client import Client

HERE = Actor(account="command-line")
PASSWORD = "correct horse battery"
RFC6238 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The secret of the appendix's vectors, in base 32."""


class Hands:
    """A clock that is set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands(1_800_000_000.0)


@pytest.fixture
def local(space: Workspace, clock: Hands) -> Accounts:
    return Accounts(space, session=3600, clock=clock)


@pytest.fixture
def app(space: Workspace, local: Accounts) -> Starlette:
    return served(space, accounts=local)


@pytest.fixture
def joined(local: Accounts) -> Joined:
    invitation, _ = local.invite(HERE, "S31", AccessRole.SUPPLIER)
    return local.join(invitation, "qa.s31@example.com", PASSWORD)


def login(app: Starlette, name: str, password: str, digits: str) -> httpx.Response:
    return Client(app).post("/auth/login", json={"name": name, "password": password, "code": digits})


def shown(joined: Joined, clock: Hands) -> str:
    """What the person's telephone shows."""
    return pyotp.TOTP(joined.secret).at(int(clock.at))


def test_a_firm_joins_by_an_invitation_and_logs_in(
    space: Workspace, app: Starlette, local: Accounts, clock: Hands
) -> None:
    invitation, _ = local.invite(HERE, "S31", AccessRole.SUPPLIER)
    told = Client(app).post(
        "/auth/join", json={"invitation": invitation, "name": " QA.S31@example.com ", "password": PASSWORD}
    )
    assert told.status_code == 201
    assert told.headers["cache-control"] == "no-store"
    made = told.json()
    assert (made["organisation"], made["role"], made["name"]) == ("S31", "supplier", "qa.s31@example.com")
    parsed = pyotp.parse_uri(made["otpauth"])
    assert isinstance(parsed, pyotp.TOTP)
    session = login(
        app, "ｑａ.s31@Example.com", PASSWORD, parsed.at(int(clock.at))
    ).json()  # as another keyboard writes
    said = me(app, session["token"], x_purpose="recall").json()
    assert (said["organisation"], said["role"], said["purpose"]) == ("S31", "supplier", "recall")
    assert said["expires"] == session["expires"] == clock.at + 3600
    assert Client(app).post("/auth/logout", headers={"authorization": f"Bearer {session['token']}"}).status_code == 204
    assert code(me(app, session["token"])) == UNKNOWN
    assert [entry.action for entry in entries(space)] == [Action.ACCOUNT_INVITED, Action.ACCOUNT_MADE]
    log = b"".join(space.store.leaves("audit")).decode()
    assert "qa.s31" not in log  # no log has a personal name
    kept = everything(space)
    for secret in (invitation, session["token"], PASSWORD, *made["recoveryCodes"]):
        assert secret not in kept
    assert "$argon2id$" in kept


def test_an_invitation_is_good_once_and_for_its_time(app: Starlette, local: Accounts, clock: Hands) -> None:
    def join(invitation: str, name: str) -> httpx.Response:
        return Client(app).post("/auth/join", json={"invitation": invitation, "name": name, "password": PASSWORD})

    once, _ = local.invite(HERE, "S31", AccessRole.SUPPLIER)
    assert join(once, "first").status_code == 201
    again = join(once, "second")
    assert code(again) == (400, "REFUSED")
    assert again.json()["errors"][0]["extensions"]["reason"] == "account.invitation"
    late, until = local.invite(HERE, "S31", AccessRole.SUPPLIER, days=1)
    clock.at = until.timestamp()
    messages = {join(bad, "third").json()["errors"][0]["message"] for bad in (late, once, once[:-2] + "AA", "cgi_", "")}
    assert len(messages) == 1  # unknown, used and expired are told alike


def test_two_who_use_one_invitation_at_once_make_one_account(local: Accounts) -> None:
    invitation, _ = local.invite(HERE, "S31", AccessRole.SUPPLIER)
    made: list[Joined] = []
    refused: list[str] = []

    def join(name: str) -> None:
        try:
            made.append(local.join(invitation, name, PASSWORD))
        except ChaingraphError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=join, args=(f"person {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), refused) == (1, ["account.invitation"] * 5)


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("ab", PASSWORD, "account.name"),
        ("x" * 121, PASSWORD, "account.name"),
        ("a\u0000bcd", PASSWORD, "account.name"),
        ("somebody", "short", "account.password"),
        ("somebody", "x" * 257, "account.password"),
        ("somebody long", "SOMEBODY LONG", "account.password"),
        ("qa.s31@example.com", PASSWORD, "account.taken"),
    ],
)
def test_what_cannot_be_a_name_or_password_uses_no_invitation_up(
    local: Accounts, joined: Joined, name: str, password: str, reason: str
) -> None:
    invitation, _ = local.invite(HERE, "S32", AccessRole.SUPPLIER)
    with pytest.raises(ChaingraphError) as refused:
        local.join(invitation, name, password)
    assert refused.value.code == reason
    assert local.join(invitation, "somebody else", PASSWORD).account.organisation == "S32"


@pytest.mark.parametrize(
    ("at", "digits"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(at: int, digits: str) -> None:
    """Its appendix B, for SHA-1."""
    assert factors.step(RFC6238, digits, at, 0, digits=8) == at // 30
    assert factors.step(RFC6238, digits, at + 30, 0, digits=8) == at // 30  # a clock that is slow
    assert factors.step(RFC6238, digits, at + 60, 0, digits=8) is None
    assert factors.step(RFC6238, digits, at, at // 30, digits=8) is None  # used
    assert factors.step(RFC6238, str(int(digits) + 1).zfill(8), at, 0, digits=8) is None


def test_a_code_is_good_once(app: Starlette, joined: Joined, clock: Hands) -> None:
    digits = shown(joined, clock)
    assert login(app, joined.account.name, PASSWORD, f"{digits[:3]} {digits[3:]}").status_code == 200
    assert code(login(app, joined.account.name, PASSWORD, digits)) == UNKNOWN
    clock.at += 30
    assert login(app, joined.account.name, PASSWORD, shown(joined, clock)).status_code == 200
    clock.at += 30
    assert code(login(app, joined.account.name, PASSWORD, digits)) == UNKNOWN


def test_one_code_used_twice_at_once_opens_one_session(local: Accounts, joined: Joined, clock: Hands) -> None:
    opened: list[object] = []
    digits = shown(joined, clock)

    def attempt() -> None:
        opened.append(local.open(joined.account.name, PASSWORD, digits))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each is not None for each in opened) == 1


def test_recovery_codes_are_good_once_each(app: Starlette, joined: Joined) -> None:
    assert len(set(joined.recovery_codes)) == factors.RECOVERIES
    first, second = joined.recovery_codes[:2]
    assert login(app, joined.account.name, PASSWORD, first).status_code == 200
    assert code(login(app, joined.account.name, PASSWORD, first)) == UNKNOWN
    assert login(app, joined.account.name, PASSWORD, second.upper().replace("-", " ")).status_code == 200


def test_what_was_wrong_is_not_told(app: Starlette, local: Accounts, joined: Joined, clock: Hands) -> None:
    digits, wrong = shown(joined, clock), "12345678"
    local.disable(HERE, local.join(local.invite(HERE, "S1", AccessRole.SUPPLIER)[0], "closed", PASSWORD).account.name)
    answers = [
        login(app, "nobody at all", PASSWORD, digits),
        login(app, joined.account.name, "another password", digits),
        login(app, joined.account.name, PASSWORD, wrong),
        login(app, "closed", PASSWORD, digits),
        login(app, joined.account.name + "x" * 5000, PASSWORD, digits),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


def test_an_unknown_name_takes_as_long_as_a_wrong_password(local: Accounts, joined: Joined) -> None:
    def seconds(name: str) -> float:
        spent = []
        for _ in range(4):
            started = time.process_time()
            assert local.open(name, "another password", "000000") is None
            spent.append(time.process_time() - started)
        return min(spent)

    unknown, known = seconds("nobody at all"), seconds(joined.account.name)
    assert 0.5 < unknown / known < 2


def test_guessing_is_slowed_down_for_an_account_from_wherever(
    space: Workspace, local: Accounts, joined: Joined, clock: Hands
) -> None:
    ticks = Hands(0.0)
    app = served(space, accounts=local, people=Throttle(5, clock=ticks), addresses=Throttle(10_000))
    for _ in range(5):
        assert code(login(app, joined.account.name, "another password", "000000")) == UNKNOWN
    slowed = login(app, joined.account.name.upper(), PASSWORD, shown(joined, clock))  # right, but too soon
    assert code(slowed) == (429, "THROTTLED")
    assert slowed.headers["retry-after"] == "2"
    assert login(app, "somebody else", PASSWORD, "000000").status_code == 401
    ticks.at += 2
    assert login(app, joined.account.name, PASSWORD, shown(joined, clock)).status_code == 200
    for _ in range(5):  # forgotten once it succeeded
        assert code(login(app, joined.account.name, "another password", "000000")) == UNKNOWN


def test_guessing_is_slowed_down_for_an_address_whatever_the_name(space: Workspace, local: Accounts) -> None:
    app = served(space, accounts=local, addresses=Throttle(4, clock=Hands(0.0)))
    for number in range(4):
        assert login(app, f"person {number}", PASSWORD, "000000").status_code == 401
    assert code(login(app, "person 9", PASSWORD, "000000")) == (429, "THROTTLED")
    joining = {"invitation": "cgi_", "name": "person", "password": PASSWORD}
    assert code(Client(app).post("/auth/join", json=joining)) == (429, "THROTTLED")


def test_waits_double_and_end() -> None:
    clock = Hands(0.0)
    throttle = Throttle(2, first=2, longest=10, clock=clock)
    waits = []
    for _ in range(7):
        while (left := throttle.wait("somebody")) > 0:
            waits.append(left)
            clock.at += left
    assert waits == [2, 4, 8, 10, 10]
    clock.at += 11
    assert throttle.wait("somebody") == 0
    assert throttle.wait("somebody") == 0  # forgotten meanwhile: free again
    throttle.succeeded("somebody", forget=False)
    assert throttle.wait("somebody") == 0  # what succeeded does not count, and wipes out nothing before it
    assert throttle.wait("somebody") > 0
    throttle.succeeded("somebody", forget=True)
    assert throttle.wait("somebody") == 0
    for number in range(REMEMBERED + 10):
        throttle.wait(str(number))
    assert len(throttle._failed) == REMEMBERED


def test_sessions_end_with_time_with_the_account_and_when_there_are_too_many(
    app: Starlette, local: Accounts, joined: Joined, clock: Hands
) -> None:
    def opened() -> str:
        clock.at += 30
        session = local.open(joined.account.name, PASSWORD, shown(joined, clock))
        assert session
        return session.token

    first = opened()
    clock.at += 3599
    assert me(app, first).status_code == 200
    clock.at += 1
    assert code(me(app, first)) == UNKNOWN
    tokens = [opened() for _ in range(SESSIONS + 1)]
    assert [me(app, token).status_code for token in tokens] == [401] + [200] * SESSIONS
    assert code(me(app, tokens[-1].replace("cgs_", "cg_"))) == UNKNOWN
    local.disable(Actor("S31", AccessRole.SUPPLIER), joined.account.id)
    assert {me(app, token).status_code for token in tokens} == {401}
    clock.at += 30
    assert local.open(joined.account.name, PASSWORD, shown(joined, clock)) is None


def test_a_firm_invites_and_closes_its_own_people_only(local: Accounts, joined: Joined) -> None:
    own, other = Actor("S31", AccessRole.SUPPLIER), Actor("S32", AccessRole.SUPPLIER)
    assert [each.id for each in local.all(own)] == [joined.account.id]
    assert list(local.all(other)) == []
    with pytest.raises(NotFound):
        local.disable(other, joined.account.name)
    for organisation, role in (("S31", AccessRole.ADMINISTRATOR), ("S32", AccessRole.SUPPLIER)):
        with pytest.raises(ChaingraphError, match=r"access\.forbidden"):
            local.invite(own, organisation, role)
    assert local.invite(own, "S31", AccessRole.SUPPLIER)
    assert local.invite(Actor("L01", AccessRole.ADMINISTRATOR), "S99", AccessRole.SUPPLIER)


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"name": "a", "password": "b"}', "application/json", 400),
        (b'{"name": "a", "password": "b", "code": 123456}', "application/json", 400),
        (b'{"name": "a", "password": "b", "code": "c", "more": ""}', "application/json", 400),
        (b'{"name": "\\ud800", "password": "b", "code": "c"}', "application/json", 400),
        (b"[" * BODY, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b" " * (BODY + 1), "application/json", 413),
        (b'{"name": "a", "password": "b", "code": "c"}', "text/plain", 400),
        (b"name=a&password=b&code=c", "application/x-www-form-urlencoded", 400),
    ],
)
def test_bodies_that_are_none_are_refused(app: Starlette, content: bytes, media: str, status: int) -> None:
    answer = Client(app).post("/auth/login", content=content, headers={"content-type": media})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "TOO_LARGE"}


def test_nothing_secret_is_logged(
    app: Starlette, local: Accounts, joined: Joined, clock: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    digits = shown(joined, clock)
    token = login(app, joined.account.name, PASSWORD, digits).json()["token"]
    me(app, token)
    me(app, token + "x")
    login(app, joined.account.name, "another password", digits)
    for secret in (PASSWORD, digits, token, joined.secret, "another password", joined.account.name):
        assert secret not in caplog.text


def test_accounts_on_the_command_line(call: Call) -> None:
    invited: dict[str, Any] = json.loads(
        call("account", "invite", "S31", "--role", "供应商", "--format", "json").stdout
    )
    with Workspace.open(call.store) as space:
        Accounts(space).join(invited["invitation"], "qa.s31", PASSWORD)
    printed = call("account", "invite", "S31", "--role", "supplier", "--url", "https://graph.example/")
    assert re.fullmatch(r"https://graph\.example/auth/join#cgi_[\w-]{80}", printed.stdout.strip())
    rows = json.loads(call("account", "list", "--format", "json").stdout)
    assert rows == [{"name": "qa.s31", "organisation": "S31", "role": "supplier", "state": "good"}]
    assert call("account", "disable", "QA.S31").exit_code == 0
    assert "closed" in call("account", "list").stdout
    unknown = call("account", "disable", "nobody")
    assert (unknown.exit_code, unknown.stderr.startswith("account.unknown: ")) == (1, True)
