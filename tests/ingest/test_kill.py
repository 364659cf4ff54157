"""A load that is killed with SIGKILL, wherever it was, and then loaded again leaves what a clean run leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chaingraph import Workspace
from ingest.load import load
from schema import KINDS
from tests.ingest.files import text

KILLS = 16

CHILD = """
import itertools, os, signal, sys
from pathlib import Path
import apsw
import chaingraph.workspace
from chaingraph import Workspace
from ingest.load import load

url, folder, point = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
chaingraph.workspace.COMMIT_ROWS = 150      # many commits of a small load
chaingraph.workspace.REPLAY_ROWS = 300      # and a snapshot written at its end
moments = itertools.count(1)

def moment(*_):
    "Every few SQL steps, and around every write to the disk."
    if next(moments) == point:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

def watched(call):
    def run(*args, **kwargs):
        moment()
        result = call(*args, **kwargs)
        moment()
        return result
    return run

apsw.connection_hooks.append(lambda connection: connection.set_progress_handler(moment, 500))
os.fsync, os.rename = watched(os.fsync), watched(os.rename)
with Workspace.open(url) as workspace:
    load(workspace, [folder], by="L01")
print(next(moments) - 1)
"""


def run(store: Path, folder: Path, point: int) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CHILD, f"sqlite:///{store}", str(folder), str(point)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)


def state(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """All rows but for the moments of uploads."""
    workspace.follow()
    snapshot = workspace.snapshot()
    return {name: snapshot.table(name).drop("at", strict=False).rows() for name in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder, with references to what nobody describes."""
    made = tmp_path_factory.mktemp("dataset")
    text(made, "parts.csv", "number,name_zh\n" + "".join(f"P{i},零件{i}\n" for i in range(400)))
    text(made, "contains.csv", "parent,child,quantity\n" + "".join(f"P{i},P{i + 7},2\n" for i in range(450)))
    text(
        made,
        "life_records.csv",
        "part,maker,event,age,unit\n" + "".join(f"P{i},S{i % 9},在用,{i},h\n" for i in range(400)),
    )
    return made


@pytest.fixture(scope="module")
def clean(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[tuple[object, ...]]], int]:
    """What a clean run leaves, and how many moments it has to be killed at."""
    store = tmp_path_factory.mktemp("clean") / "graph.db"
    done = run(store, folder, 0)
    assert done.returncode == 0, done.stderr
    with Workspace.open(f"sqlite:///{store}") as workspace:
        return state(workspace), int(done.stdout)


@pytest.mark.parametrize("nth", range(KILLS))
def test_killed_and_loaded_again(
    clean: tuple[dict[str, list[tuple[object, ...]]], int], folder: Path, tmp_path: Path, nth: int
) -> None:
    expected, moments = clean
    point = 1 + nth * (moments - 1) // (KILLS - 1)
    killed = run(tmp_path / "graph.db", folder, point)
    assert killed.returncode == -9, killed.stderr
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        left = state(workspace)
        assert left == expected or not any(left.values()), "a load is seen whole or not at all"
        load(workspace, [folder], by="L01")
        assert state(workspace) == expected
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        assert state(workspace) == expected
