"""Uploads at the desk and from a watched folder, killed with SIGKILL at many points and gone on with: as if never."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chaingraph import Workspace
from ingest.desk import Desk
from schema import KINDS
from tests.faults.handing_in import WAYS

ROOT = Path(__file__).parents[2]
KILLS = 4
PARTS = "物料编码,名称\n" + "".join(f"P{i},零件{i}\n" for i in range(120))
LINES = "parent,child,quantity\n" + "".join(f"P{i},P{i + 7},2\n" for i in range(110))
FILES = {"parts.csv": PARTS.encode(), "contains.csv": LINES.encode()}


class Place:
    """A store with its spool, and files to be handed in."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self.folder = folder
        self.url = f"sqlite:///{folder / 'graph.db'}"
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        inside = self.files / "2025-03" if kind == "inbox" else self.files
        inside.mkdir(exist_ok=True)
        for name, content in FILES.items():
            (inside / name).write_bytes(content)
        with Workspace.open(self.url):
            pass

    def run(self, point: int = 0) -> subprocess.CompletedProcess[str]:
        """Hand them in, in a process that is killed at the moment of that number."""
        words = [self.kind, self.url, str(self.folder / "spool"), str(self.files), str(point)]
        command = [sys.executable, "-m", "tests.faults.handing_in", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    def go_on(self) -> None:
        """Hand them in to the end, here."""
        with Workspace.open(self.url) as workspace:
            WAYS[self.kind](Desk(workspace, self.folder / "spool"), self.files)

    def state(self) -> tuple[dict[str, list[tuple[object, ...]]], list[object]]:
        """All rows but for the moments and numbers of loads; and what the audit log says but for those."""
        with Workspace.open(self.url) as workspace:
            workspace.follow()
            snapshot = workspace.snapshot()
            rows = {name: snapshot.table(name).drop("at", "load", strict=False).rows() for name in KINDS}
            leaves = [json.loads(leaf) for leaf in workspace.store.leaves("audit")]
            return rows, [(leaf.get("action"), leaf.get("kinds"), leaf.get("owners")) for leaf in leaves]

    def names(self) -> list[str]:
        """Where the files are by now."""
        paths = (path.relative_to(self.files) for path in self.files.rglob("*") if path.is_file())
        return sorted(str(path) for path in paths if path.parts[0] != ".chaingraph")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Place, int]]:
    """A run that nothing stopped, of either kind, and how many moments it has to be killed at."""
    made: dict[str, tuple[Place, int]] = {}

    def run(kind: str) -> tuple[Place, int]:
        if kind not in made:
            place = Place(tmp_path_factory.mktemp(kind) / "clean", kind)
            done = place.run()
            assert done.returncode == 0, done.stderr
            made[kind] = place, int(done.stdout)
        return made[kind]

    return run


@pytest.mark.parametrize("nth", range(KILLS))
@pytest.mark.parametrize("kind", ["desk", "inbox"])
def test_killed_and_gone_on_with(
    clean: Callable[[str], tuple[Place, int]], tmp_path: Path, kind: str, nth: int
) -> None:
    model, moments = clean(kind)
    expected = model.state()
    assert len(expected[0]["part"]) > 100
    assert len(expected[1]) == 1
    place = Place(tmp_path / "killed", kind)
    killed = place.run(1 + nth * int(0.95 * moments) // (KILLS - 1))
    assert killed.returncode == -9, killed.stderr
    left = place.state()
    assert left == expected or not (any(left[0].values()) or left[1]), "a load is seen whole or not at all"
    if kind == "inbox" and not any(left[0].values()):
        assert all("2025-03" in name for name in place.names()), "what is not taken is where it was"
    place.go_on()
    assert place.state() == expected
    assert place.names() == model.names()
