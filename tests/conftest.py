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

import pytest
from hypothesis import settings

from chaingraph import Workspace
from tests.neo4j.server import PASSWORD, Server, running

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

NEO4J = "neo4j"
"""The xdist group of the tests on Neo4j. A test belongs to it by the fixture `neo4j_server` or by its parameters."""


def pytest_configure(config: pytest.Config) -> None:
    """Settings of the run's own, the same in all its processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("CHAINGRAPH_")]:
        del os.environ[name]
    os.environ[PASSWORD] = secrets.token_urlsafe(16)
    os.environ["CHAINGRAPH_CACHE"] = cache = tempfile.mkdtemp(prefix="chaingraph-cache-")
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))


# before xdist, which appends the group to the test's name
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on Neo4j."""
    for item in items:
        if isinstance(item, pytest.Function) and _on_neo4j(item):
            item.add_marker(pytest.mark.xdist_group(NEO4J))


def _on_neo4j(item: pytest.Function) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "neo4j_server" in item.fixturenames or any(getattr(each, "name", each) == NEO4J for each in parameters)


@pytest.fixture(autouse=True)
def wiped(request: pytest.FixtureRequest) -> None:
    """An empty database for every test on Neo4j."""
    if request.node.get_closest_marker("xdist_group"):
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
