"""What the READMEs show is what comes out: the picture of the demo, the GraphQL query, the addresses of tables."""

import re
from pathlib import Path

import pytest

from chaingraph import Workspace
from server.api.app import create_app
from server.cli.demo import report
from server.cli.session import Session
from tests.server.client import Client

ROOT = Path(__file__).parent.parent.parent
READMES = {"README.md": "en", "README.zh-CN.md": "zh"}


def block(name: str, language: str, at: int = 0) -> str:
    """A block of a README by its language."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(found[at])


@pytest.mark.parametrize("name", READMES)
def test_the_picture_is_what_the_demo_prints(
    name: str, demo_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    report(Session("sqlite:///demo.db", READMES[name], "table"), demo_workspace.view())
    printed = capsys.readouterr().out.splitlines()
    wrong = [line for line in block(name, "text").splitlines() if line != "…" and line not in printed]
    assert wrong == [], "put in what `make demo` prints"


@pytest.mark.parametrize("name", READMES)
def test_the_query_and_the_addresses_answer(name: str, demo_workspace: Workspace) -> None:
    client = Client(create_app(demo_workspace))
    answer = client.post("/graphql", json={"query": block(name, "graphql")}).json()
    assert "errors" not in answer
    assert len(answer["data"]["product"]["weakLinks"]["links"]) == 3
    for url in block(name, "text", 1).split():
        table = client.get(url.removeprefix("http://127.0.0.1:8000"))
        assert (url, table.status_code) == (url, 200)
        assert len(table.content) > 1000
