"""API tokens, tokens as the password of HTTP Basic, and tokens of the development mode."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from chaingraph.audit.entries import LOG
from schema.vocabularies import AccessRole, Purpose
from server.auth import development
from server.auth.tokens import COLLECTION, Tokens
from tests.auth.asking import UNKNOWN, code, me, served
from tests.server import world
from tests.server.cli import Call
from tests.server.client import Client

HERE = Actor(account="command-line")
LEADER = Actor("L01", AccessRole.QUALITY, account="account:1")


def entries(space: Workspace) -> list[Entry]:
    """What the log has."""
    return [Entry.read(leaf) for leaf in space.store.leaves(LOG)]


def everything(space: Workspace) -> str:
    """All that the store keeps beside the graph, but for secrets."""
    kept = [space.store.blob(name) or b"" for name in space.store.names("blob")]
    return b"\n".join([*kept, *space.store.leaves(LOG)]).decode()


def test_a_token_says_who_asks_and_what_it_may(space: Workspace) -> None:
    app = served(space)
    made, text = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST, purpose=Purpose.RESEARCH, read_only=True)
    assert text.startswith("cg_")
    said = me(app, text).json()
    assert said == {
        "organisation": "L01", "role": "analyst", "purpose": "research", "readOnly": True,
        "account": f"token:{made.name}", "expires": made.expires.timestamp(),
    }  # fmt: skip
    assert code(me(app, text, x_purpose="quality")) == (400, "BAD_REQUEST")
    _, free = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
    assert me(app, free, x_purpose="recall").json()["purpose"] == "recall"


def test_of_a_token_only_a_hash_is_kept_and_its_issue_is_logged(space: Workspace) -> None:
    made, text = Tokens(space).issue(LEADER, "L01", AccessRole.ANALYST, label="Power BI in building 4")
    kept = everything(space)
    assert text not in kept
    assert text[3:20] not in kept
    (entry,) = entries(space)
    assert (entry.action, entry.organisation, entry.account) == (Action.TOKEN_ISSUED, "L01", "account:1")
    assert entry.what["token"] == made.name
    assert "Power BI" not in json.dumps(dict(entry.what))


def test_an_altered_token_never_reaches_the_store(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    app = served(space)
    _, text = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
    looked: list[str] = []
    blob = space.store.blob

    def watched(name: str) -> bytes | None:
        looked.append(name)
        return blob(name)

    monkeypatch.setattr(space.store, "blob", watched)
    body = bytearray(base64.urlsafe_b64decode(text[3:]))
    for at in (0, 12, 30, 44, 59):
        body[at] ^= 1
        assert code(me(app, "cg_" + base64.urlsafe_b64encode(bytes(body)).decode())) == UNKNOWN
        body[at] ^= 1
    for other in ("cg_", "cg_x", text + "AAAA", text[:-4], "cgs_" + text[3:], text.replace("cg_", "cg_\u00e9")):
        assert code(me(app, other)) == UNKNOWN
    assert looked == []
    assert me(app, text).status_code == 200
    assert len(looked) == 1


def test_a_token_ends_when_it_is_revoked_or_its_time_is_over(space: Workspace) -> None:
    app, tokens = served(space), Tokens(space)
    made, text = tokens.issue(HERE, "L01", AccessRole.ANALYST)
    assert me(app, text).status_code == 200
    tokens.revoke(LEADER, made.name)
    assert code(me(app, text)) == UNKNOWN
    assert [entry.action for entry in entries(space)] == [Action.TOKEN_ISSUED, Action.TOKEN_REVOKED]
    tokens.revoke(LEADER, made.name)  # again: nothing new
    assert len(entries(space)) == 2
    late, text = tokens.issue(HERE, "L01", AccessRole.ANALYST, days=1)
    record: dict[str, Any] = space.register.get(COLLECTION, late.name) or {}
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    space.register.put(COLLECTION, late.name, {**record, "expires": past.isoformat()})
    assert code(me(app, text)) == UNKNOWN


def test_on_a_server_a_token_ends_within_about_a_second(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process revokes; ours believes a remote store's record for a second."""
    import time

    made, text = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
    with Workspace.open(space.store.url) as ours:
        ours.store.remote = True
        tokens = Tokens(ours)
        assert tokens.find(text)
        Tokens(space).revoke(HERE, made.name)
        started = time.monotonic()
        while tokens.find(text) and time.monotonic() - started < 5:
            time.sleep(0.02)
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("actor", "organisation", "role"),
    [
        (Actor("L01", AccessRole.ANALYST), "L01", AccessRole.ANALYST),  # may issue none
        (LEADER, "L02", AccessRole.ANALYST),  # of another firm
        (Actor("L01", AccessRole.ADMINISTRATOR), "L02", AccessRole.ANALYST),  # whose eyes an administrator has not
        (LEADER, "L01", AccessRole.ADMINISTRATOR),  # more than it has
        (LEADER, "L01", AccessRole.AUDITOR),
        (Actor("L01", AccessRole.QUALITY, read_only=True), "L01", AccessRole.ANALYST),
        (Actor("L01", AccessRole.QUALITY, account="token:1"), "L01", AccessRole.ANALYST),  # a machine
    ],
)
def test_nobody_gives_what_is_not_theirs(space: Workspace, actor: Actor, organisation: str, role: AccessRole) -> None:
    with pytest.raises(ChaingraphError, match=r"access\.forbidden"):
        Tokens(space).issue(actor, organisation, role)
    assert entries(space) == []


def test_nobody_gets_the_eyes_that_see_everything(space: Workspace) -> None:
    for organisation in ("", " ", "L01\n", "x" * 65):
        with pytest.raises(ChaingraphError, match=r"access\.organisation"):
            Tokens(space).issue(HERE, organisation, AccessRole.ANALYST)


def test_a_firm_sees_and_revokes_its_own_tokens_only(space: Workspace) -> None:
    tokens = Tokens(space)
    own, _ = tokens.issue(HERE, "L01", AccessRole.ANALYST)
    other, _ = tokens.issue(HERE, "L02", AccessRole.ANALYST)
    assert [each.name for each in tokens.all(LEADER)] == [own.name]
    assert {each.name for each in tokens.all(HERE)} == {own.name, other.name}
    assert list(tokens.all(Actor("L01", AccessRole.ANALYST))) == []
    for name in (other.name, "0" * 24):
        with pytest.raises(NotFound, match=r"token\.unknown"):
            tokens.revoke(LEADER, name)


def test_spreadsheets_send_a_token_as_the_password_of_http_basic(tmp_path: Path) -> None:
    with world.workspace(tmp_path) as space:
        client, tokens = Client(served(space)), Tokens(space)
        _, good = tokens.issue(HERE, "L01", AccessRole.ANALYST, purpose=Purpose.QUALITY, read_only=True)
        _, writes = tokens.issue(HERE, "L01", AccessRole.QUALITY, purpose=Purpose.QUALITY)
        _, unbound = tokens.issue(HERE, "L01", AccessRole.ANALYST, read_only=True)
        asked = client.get("/tables/parts.csv")
        assert code(asked) == UNKNOWN
        assert asked.headers["www-authenticate"].startswith("Basic ")  # what makes Excel ask for a password
        assert client.get("/tables/parts.csv", auth=("anything", good)).status_code == 200
        assert client.get("/tables/parts.csv", auth=("", good)).status_code == 200
        made = development.issue(space, HERE, "L01", AccessRole.QUALITY, None, 1)
        for refused in (writes, unbound, made, good + "x", ""):
            assert code(client.get("/tables/parts.csv", auth=("x", refused))) == UNKNOWN
        for header in ("Basic", "Basic ???", "Basic " + base64.b64encode(good.encode()).decode(), "Digest " + good):
            assert code(client.get("/tables/parts.csv", headers={"authorization": header})) == UNKNOWN


def test_one_header_says_who_asks(space: Workspace) -> None:
    _, text = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
    headers = [("authorization", f"Bearer {text}"), ("authorization", "Bearer x")]
    client = Client(served(space))
    assert code(client.get("/auth/me", headers=headers)) == UNKNOWN
    assert client.get("/auth/me", headers=headers[:1]).status_code == 200
    twice = [*headers[:1], ("x-purpose", "quality"), ("x-purpose", "recall")]
    assert code(client.get("/auth/me", headers=twice)) == UNKNOWN
    assert code(client.get("/auth/me?token=" + text)) == UNKNOWN


def test_a_token_of_the_development_mode_is_good_there_only(tmp_path: Path) -> None:
    with world.workspace(tmp_path) as space:
        here, production = served(space, development=True), served(space)
        text = development.issue(space, HERE, "L01", AccessRole.QUALITY, Purpose.RECALL, 30)
        said = me(here, text).json()
        assert (said["organisation"], said["role"], said["purpose"]) == ("L01", "quality", "recall")
        assert code(me(production, text)) == UNKNOWN
        assert code(me(here, text, x_purpose="quality")) == (400, "BAD_REQUEST")
        assert code(me(here, text[:-3] + "AAA")) == UNKNOWN
        assert code(me(here, text.removeprefix(development.PREFIX))) == UNKNOWN
        head, body, tail = text.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        more = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "L02"}).encode()).decode().rstrip("=")
        assert code(me(here, f"{head}.{more}.{tail}")) == UNKNOWN
        with pytest.raises(NotFound, match=r"token\.organisation"):
            development.issue(space, HERE, "NOBODY", AccessRole.QUALITY, None, 30)
        development.end(space, HERE)
        assert code(me(here, text)) == UNKNOWN
        again = development.issue(space, HERE, "L01", AccessRole.QUALITY, None, 30)
        assert me(here, again).status_code == 200
        assert code(me(here, text)) == UNKNOWN  # another key


def test_tokens_of_another_store_are_nothing_here(space: Workspace, tmp_path: Path) -> None:
    with world.workspace(tmp_path / "other") as other:
        tokens = [
            Tokens(other).issue(HERE, "L01", AccessRole.ANALYST)[1],
            development.issue(other, HERE, "L01", AccessRole.ANALYST, None, 1),
        ]
    for text in tokens:
        assert code(me(served(space, development=True), text)) == UNKNOWN


def test_tokens_on_the_command_line(call: Call, tmp_path: Path) -> None:
    sheet = tmp_path / "organisations.csv"
    sheet.write_text("id,name\nL01,Leader\n", encoding="utf-8")
    assert call("load", str(sheet), "--as", "L01").exit_code == 0
    printed = call("token", "L01", "--role", "chain-leader", "--days", "2")
    assert printed.exit_code == 0
    issued = json.loads(
        call(
            "tokens", "issue", "L01", "--role", "analyst", "--read-only", "--purpose", "研究", "--format", "json"
        ).stdout
    )
    with Workspace.open(call.store) as space:
        app = served(space, development=True)
        assert me(app, printed.stdout.strip()).json()["role"] == "quality"
        assert me(app, issued["token"]).json()["purpose"] == "research"
    (row,) = json.loads(call("tokens", "list", "--format", "json").stdout)
    assert (row["name"], row["state"], row["read_only"]) == (issued["name"], "good", True)
    assert call("tokens", "revoke", issued["name"]).exit_code == 0
    assert call("tokens", "revoke", "development").exit_code == 0
    assert "revoked" in call("tokens", "list").stdout
    with Workspace.open(call.store) as space:
        app = served(space, development=True)
        assert code(me(app, printed.stdout.strip())) == code(me(app, issued["token"])) == UNKNOWN
    for words, told in (
        (["token", "L01", "--role", "boss"], "access.role: "),
        (["token", "L77", "--role", "analyst"], "token.organisation: "),
        (["tokens", "revoke", "nothing"], "token.unknown: "),
        (["tokens", "issue", "L01", "--role", "analyst", "--purpose", "fun"], "access.purpose: "),
    ):
        refused = call(*words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith(told)
