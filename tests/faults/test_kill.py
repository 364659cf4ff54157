"""An application that is killed, whatever it was saying to Neo4j, and loads again: as if nothing had been."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaingraph import Workspace
from chaingraph.store.verify import verify
from ingest.load import load
from tests.faults.proxy import Proxy
from tests.ingest.files import text
from tests.ingest.test_kill import state
from tests.neo4j.server import Server

ROOT = Path(__file__).parents[2]
ROWS, KILLS = 120, 4

CHILD = """
import sys
from pathlib import Path
import chaingraph.checkpoint, chaingraph.workspace
from chaingraph import Workspace
from ingest.load import load

chaingraph.workspace.COMMIT_ROWS = 60        # many commits of a small load
chaingraph.checkpoint.FIRST_ROWS = 100       # and a checkpoint written at its end
with Workspace.open(sys.argv[1]) as workspace:
    load(workspace, [Path(sys.argv[2])], by="L01")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset folder, with references to what nobody describes."""
    made = tmp_path / "dataset"
    made.mkdir()
    text(made, "parts.csv", "number,name_zh\n" + "".join(f"P{i},零件{i}\n" for i in range(ROWS)))
    text(made, "contains.csv", "parent,child,quantity\n" + "".join(f"P{i},P{i + 7},2\n" for i in range(ROWS)))
    text(
        made,
        "life_records.csv",
        "part,maker,event,age,unit\n" + "".join(f"P{i},S{i % 9},在用,{i},h\n" for i in range(ROWS)),
    )
    return made


def run(proxy: Proxy, folder: Path, point: int | None = None) -> int:
    """Load in a process of its own, killed when it sends the message of that number; its exit code."""
    start = proxy.messages
    process = subprocess.Popen([sys.executable, "-c", CHILD, proxy.url, str(folder)], cwd=ROOT)

    def kill(number: int, tag: int) -> None:
        if point is not None and number == start + point:
            os.kill(process.pid, signal.SIGKILL)

    proxy.on_message = kill
    return process.wait(120)


def test_killed_and_loaded_again(proxy: Proxy, neo4j_server: Server, folder: Path) -> None:
    """Killed several times in a row, at points drawn from all of a load; each next process finds what the last left."""
    with Workspace.open(proxy.url):
        making = proxy.messages
    assert run(proxy, folder) == 0
    loading = proxy.messages - making
    with Workspace.open(neo4j_server.url) as other:
        clean = state(other)
    assert all(clean[name] for name in ("organisation", "part", "contains", "life_record", "upload"))
    neo4j_server.wipe()
    rng = random.Random(1)
    kills = [1 + rng.randrange(making)]
    kills += [1 + int((nth + rng.random()) * loading / KILLS) for nth in range(KILLS)]
    for point in kills:
        assert run(proxy, folder, point) == -signal.SIGKILL
        with Workspace.open(neo4j_server.url) as other:
            left = state(other)
            assert left == clean or not any(left.values()), "a load is seen whole or not at all"
    with Workspace.open(neo4j_server.url) as other:
        load(other, [folder], by="L01")
        assert state(other) == clean
        assert verify(other.store) is None
