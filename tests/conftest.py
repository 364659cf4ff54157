"""What all tests share: steady draws of hypothesis, one Neo4j server, and the demo consortium in a store, loaded once.

Hypothesis draws the same examples in every run, with no deadline on a busy machine. The tests that use Neo4j run in
one process, one after the other, each on a database that is empty at its start; last come those that read the demo
there, which share it. Of the settings of whoever runs the tests none is seen.
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
from tests.moment import loading_at
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what reads the demo in Neo4j at the end: then it is loaded once."""
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "neo4j_demo" in item.fixturenames)


@pytest.fixture(autouse=True)
def wiped(request: pytest.FixtureRequest) -> None:
    """An empty database for every test on Neo4j but those of modules that read the demo."""
    if on_neo4j(request.node.nodeid) and "neo4j_demo" not in request.fixturenames:
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


_in_neo4j: list[bytes] = []
"""The digest of the demo's journal in Neo4j, once it was loaded."""


@pytest.fixture(scope="module")
def neo4j_demo(neo4j_server: Server, demo_workspace: Workspace) -> str:
    """The address of the demo consortium in Neo4j; for reading.

    It was loaded there as it was into `demo_workspace`, at the same moment, but by itself: nothing is copied. It is
    loaded anew only when somebody has changed it.
    """
    server = neo4j_server.start()
    head = server.driver.execute_query("MATCH (h:JournalHead) RETURN h.digest").records
    if [each["h.digest"] for each in head] != _in_neo4j or not _in_neo4j:
        from server.cli.demo import load

        server.wipe()
        moment = demo_workspace.view().table("upload")["at"].unique().item()
        with loading_at(moment), Workspace.open(server.url) as workspace:
            load(workspace)
            _in_neo4j[:] = [workspace.store.head().digest]
    return server.url
