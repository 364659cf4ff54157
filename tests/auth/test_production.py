"""What a server is not started with, and that it is told all at once; the real program where it can be."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from chaingraph import Actor, ChaingraphError, Workspace
from chaingraph.settings import Settings, settings
from schema.vocabularies import AccessRole
from server.auth import development
from server.auth.accounts import Accounts
from server.auth.tokens import Tokens
from server.production import Plan, Refused, check
from tests.neo4j.server import Server
from tests.server import world

HERE = Actor(account="command-line")


def codes(space: Workspace, host: str = "0.0.0.0", *, open_to_all: bool = False, **given: Any) -> list[str]:
    """Why a server is not started."""
    said = Settings(_env_file=None, **given)
    try:
        check(Plan.of(host, said, open_to_all=open_to_all), space, said)
    except Refused as error:
        refused = error
    else:
        return []
    assert all(each.remedy and each.code in str(refused) for each in refused.each)
    return [each.code for each in refused.each]


OIDC: dict[str, Any] = {"oidc_issuer": "https://login.example", "oidc_audience": "chaingraph"}


def test_the_address_says_what_a_server_is_for_where_nobody_does() -> None:
    nothing = Settings(_env_file=None)
    for host, mode, shown in (
        ("127.0.0.1", "development", True), ("localhost", "development", True), ("::1", "development", True),
        ("0.0.0.0", "production", False), ("192.0.2.1", "production", False), ("example.com", "production", False),
    ):  # fmt: skip
        plan = Plan.of(host, nothing, open_to_all=False)
        assert (plan.mode, plan.introspection) == (mode, shown)
    said = Plan.of("127.0.0.1", Settings(_env_file=None, mode="production"), open_to_all=False)
    assert (said.mode, said.introspection) == ("production", False)
    assert not Plan.of("0.0.0.0", Settings(_env_file=None, mode="development"), open_to_all=False).introspection


def test_open_is_for_the_loopback_only(space: Workspace) -> None:
    assert codes(space, "127.0.0.1", open_to_all=True) == []
    assert codes(space, "0.0.0.0", open_to_all=True, mode="development") == ["serve.open"]
    assert codes(space, "127.0.0.1", open_to_all=True, mode="production", **OIDC) == ["serve.open_production"]


def test_in_production_somebody_must_be_able_to_say_who_they_are(space: Workspace) -> None:
    assert codes(space) == ["serve.nobody"]
    assert codes(space, **OIDC) == []
    made, _ = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
    assert codes(space) == []
    Tokens(space).revoke(HERE, made.name)
    assert codes(space) == ["serve.nobody"]
    Accounts(space).invite(HERE, "S31", AccessRole.SUPPLIER)
    assert codes(space) == []


def test_in_production_nothing_is_for_development(tmp_path: Path) -> None:
    with world.workspace(tmp_path) as space:
        Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
        assert codes(space) == []
        assert codes(space, introspection=True) == ["serve.introspection"]
        assert codes(space, mode="development", introspection=True) == []
        development.issue(space, HERE, "L01", AccessRole.ANALYST, None, 1)
        assert codes(space) == ["serve.development_key"]
        assert codes(space, "127.0.0.1") == []
        development.end(space, HERE)
        assert codes(space) == []


def test_in_production_nobody_can_listen(space: Workspace) -> None:
    plain: dict[str, Any] = {"oidc_issuer": "http://login.example", "oidc_audience": "chaingraph"}
    assert codes(space, **plain) == ["serve.issuer"]
    assert codes(space, **{**plain, "oidc_issuer": "http://127.0.0.1:9"}) == []


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("bolt://database:7687", True), ("neo4j://192.0.2.1:7687/consortium", True), ("bolt://localhost.example", True),
        ("bolt+s://127.0.0.1:1", False), ("neo4j+s://127.0.0.1:1", False), ("bolt+ssc://127.0.0.1:1", False),
        ("bolt://127.0.0.1:1", False), ("bolt://localhost:1", False), ("bolt://[::1]:1", False),
    ],
)  # fmt: skip
def test_in_production_the_line_to_the_store_is_encrypted(url: str, refused: bool) -> None:
    """A store that does not answer is no other reason."""
    from server.production import _lines

    assert [each.code for each in _lines(url, Settings(_env_file=None))] == ["serve.store"] * refused
    if ":1" in url[-2:] and "+" not in url:
        with Workspace.open(url, lazy=True) as space:
            assert codes(space, **OIDC) == []


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Workspace]:
    """A store whose log somebody has taken away."""
    with Workspace.open(f"sqlite:///{tmp_path / 'broken.db'}") as space:
        with apsw.Connection(str(tmp_path / "broken.db")) as connection:
            connection.execute("DROP TABLE log")
        connection.close()
        yield space


def test_in_production_what_is_done_can_be_logged(broken: Workspace) -> None:
    assert codes(broken, **OIDC) == ["serve.audit"]
    assert codes(broken, "127.0.0.1") == []


def test_on_neo4j_the_log_is_looked_at_too(neo4j_server: Server) -> None:
    with Workspace.open(neo4j_server.start().url) as space:
        assert codes(space, **OIDC) == []
        assert codes(space) == ["serve.nobody"]


def run(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program, which is to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "server", "serve", "--store", f"sqlite:///{tmp_path / 'store.db'}", *words],
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_all_reasons_are_told_at_once_in_both_languages(tmp_path: Path) -> None:
    for language in ("zh", "en"):
        refused = run(tmp_path, "--host", "0.0.0.0", "--open", "--lang", language, CHAINGRAPH_INTROSPECTION="1")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert re.findall(r"serve\.\w+", refused.stderr) == [
            "serve.refused", "serve.open", "serve.open_production", "serve.introspection", "serve.nobody",
        ]  # fmt: skip
        assert "Traceback" not in refused.stderr
        assert ("管理员" in refused.stderr) == (language == "zh")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OIDC_ISSUER", "https://login.example", "CHAINGRAPH_OIDC_AUDIENCE"),
        ("OIDC_ROLES", "quality", "CHAINGRAPH_OIDC_ROLES must be value=code"),
        ("MODE", "productive", "CHAINGRAPH_MODE"),
        ("OIDC_LEEWAY", "3000", "CHAINGRAPH_OIDC_LEEWAY"),
    ],
)
def test_settings_that_cannot_be_used_are_told_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"CHAINGRAPH_{name}", value)
    settings.cache_clear()
    try:
        with pytest.raises(ChaingraphError, match=told) as refused:
            settings()
    finally:
        settings.cache_clear()
    assert refused.value.code == "settings.invalid"


def test_claims_are_mapped_by_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINGRAPH_OIDC_ROLES", "cg-l = chain-leader,cg-s=supplier")
    assert Settings(_env_file=None).oidc_roles == {"cg-l": "chain-leader", "cg-s": "supplier"}


def test_a_server_in_production_asks_for_a_token(tmp_path: Path) -> None:
    """The program as it is deployed, with an API token, a token of the development mode, and none."""
    with world.workspace(tmp_path / "graph") as space:
        _, good = Tokens(space).issue(HERE, "L01", AccessRole.ANALYST)
        demo = development.issue(space, HERE, "L01", AccessRole.ANALYST, None, 1)
        development.end(space, HERE)
        url = space.store.url
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", "--port", str(port), "--store", url, "--lang", "en"]
    with subprocess.Popen(
        [sys.executable, "-m", "server", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUTF8": "1", "CHAINGRAPH_MODE": "production"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline().split()[-1] == f"http://127.0.0.1:{port}/graphql"
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), base_url=f"http://127.0.0.1:{port}") as client:

                def asked(token: str | None, query: str = "{ __typename }") -> httpx.Response:
                    headers = {} if token is None else {"authorization": f"Bearer {token}"}
                    return client.post("/graphql", json={"query": query}, headers=headers)

                assert client.get("/health").status_code == 200
                assert [asked(each).status_code for each in (good, demo, None)] == [200, 401, 401]
                assert "data" not in asked(good, "{ __schema { types { name } } }").json()
                assert client.get("/graphql", headers={"accept": "text/html"}).status_code == 401
                assert client.post("/auth/login", json={"name": "a", "password": "b", "code": "c"}).status_code == 401
        finally:
            process.terminate()
            _, said = process.communicate()
    assert good not in said
    assert demo not in said
