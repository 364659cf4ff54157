"""What all tests share: steady draws of hypothesis, and the demo consortium in a store, loaded once.

Hypothesis draws the same examples in every run, with no deadline on a busy machine.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from chaingraph import Workspace

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")


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
