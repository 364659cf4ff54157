"""What all tests share: steady draws of hypothesis, one Neo4j server, and the demo consortium in a store, loaded once.

Hypothesis draws the same examples in every run, with no deadline on a busy machine. The tests that use Neo4j run in
one process, one after the other, each on a database that is empty at its start. Of the settings of whoever runs the
tests none is seen.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from chaingraph import Workspace
from tests.neo4j.server import NEO4J, PASSWORD, Server, on_neo4j, running

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Settings of the run's own, the same in all its processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("CHAINGRAPH_")]:
        del os.environ[name]
    os.environ[PASSWORD] = secrets.token_urlsafe(16)
    os.environ["CHAINGRAPH_CACHE"] = cache = tempfile.mkdtemp(prefix="chaingraph-cache-")
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have it in a test's name that it is on Neo4j."""
    if "neo4j_server" in metafunc.fixturenames:
        metafunc.parametrize("wiped", [NEO4J], indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process for what is on Neo4j.

    (`--dist loadgroup` of pytest-xdist 3.8 groups nothing under pytest 9.2.)
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return NEO4J if on_neo4j(nodeid) else nodeid

    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def wiped(request: pytest.FixtureRequest) -> None:
    """An empty database for every test on Neo4j."""
    if on_neo4j(request.node.nodeid):
        request.getfixturevalue("neo4j_server").start().wipe()


@pytest.fixture(scope="session")
def neo4j_server() -> Iterator[Server]:
    """The Neo4j server of this run."""
    server = running()
    yield server
    server.stop(kill=True)
    shutil.rmtree(server.home)


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo consortium in the store `demo.db`: copy it, never write to it.

    Workers of one run share it: the first loads, the others wait for its lock.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-store"
    with (folder.parent / "demo-store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            from server.cli.demo import load

            made = folder.with_suffix(".part")
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            with Workspace.open(f"sqlite:///{made / 'demo.db'}") as workspace:
                load(workspace)
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def demo_workspace(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The demo consortium, open on a copy of its own; for reading."""
    folder = tmp_path_factory.mktemp("demo") / "copy"
    shutil.copytree(demo_store, folder)
    with Workspace.open(f"sqlite:///{folder / 'demo.db'}") as workspace:
        yield workspace
