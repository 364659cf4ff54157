"""The pages on life data show what comes out: every command on them is run, every answer compared.

`python -m tests.test_life_data_page` puts in what comes out now.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from chaingraph import Workspace
from server.api.app import create_app
from server.cli.demo import load
from tests.server.cli import Call
from tests.server.client import Client

ROOT = Path(__file__).parent.parent
PAGES = {"life-data.md": "en_GB.UTF-8", "life-data.zh-CN.md": "zh_CN.UTF-8"}
PICTURE = ROOT / "docs" / "pictures" / "bearings.svg"


def blocks(page: str) -> list[tuple[str, str]]:
    """The blocks of a page in order: (language, content)."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_store: Path) -> Path:
    """A folder like the repository's, with the demo in its store."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    shutil.copytree(demo_store, tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled(page: str, store: str) -> str:
    """The page with every answer as it comes out here and now; raises AssertionError for a command that fails."""
    call = Call(store, {"LANG": PAGES[page]})

    def answered(found: re.Match[str]) -> str:
        printed = ""
        for line in found["commands"].splitlines():
            program, *words = shlex.split(line)
            assert program == "chaingraph", line
            result = call(*words)
            assert result.exit_code == 0, (line, result.stderr)
            printed += result.stdout
        if found["answer"] is None:
            return found[0]
        lines = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
        return f"```sh\n{found['commands']}```\n\n```text\n{lines}```"

    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.sub(r"```sh\n(?P<commands>[^`]*)```(?P<answer>\n\n```text\n[^`]*```)?", answered, text)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_answers_as_shown(page: str, folder: Path) -> None:
    store = f"sqlite:///{folder / 'store' / 'demo.db'}"
    shown = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert shown.count("```sh\nchaingraph ") >= 6
    assert shown == filled(page, store), "python -m tests.test_life_data_page"


@pytest.mark.parametrize("page", PAGES)
def test_the_query_answers(page: str, demo_workspace: Workspace) -> None:
    client = Client(create_app(demo_workspace))
    (query,) = (content for language, content in blocks(page) if language == "graphql")
    body = client.post("/graphql", json={"query": query}).json()
    assert "errors" not in body
    assert body["data"]["lifeModel"]["fit"]["failures"] > 40


def test_both_pages_have_the_same_commands() -> None:
    one, other = ([content for language, content in blocks(page) if language == "sh"] for page in PAGES)
    assert one == other


def test_the_picture_on_the_page_is_the_one_that_is_drawn(folder: Path) -> None:
    (words,) = {
        tuple(shlex.split(line)[1:])
        for language, content in blocks("life-data.md")
        for line in content.splitlines()
        if language == "sh" and "--picture" in line
    }
    assert Call("", {"LANG": "zh_CN.UTF-8"})(*words).exit_code == 0

    def texts(path: Path) -> list[str]:
        return [
            (each.text or "").strip() for each in ET.parse(path).iter() if each.tag.endswith(("tspan", "title", "desc"))
        ]

    assert texts(folder / PICTURE.name) == texts(PICTURE)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
        (Path(made) / "fixtures").symlink_to(ROOT / "fixtures")
        with Workspace.open("sqlite:///demo.db") as workspace:
            load(workspace)
        for name in PAGES:
            written = filled(name, "sqlite:///demo.db")
            (ROOT / "docs" / name).write_text(written, encoding="utf-8")
            shutil.copy(PICTURE.name, PICTURE)
