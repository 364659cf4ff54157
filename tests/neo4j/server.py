"""A Neo4j Community server in a folder of its own, on this machine alone: for tests, the demo and developers.

    python -m tests.neo4j.server [COMMAND...]

starts one, runs the command on it, if any, and keeps it until Ctrl-C; with ONCE=1 in the environment it ends with the
command.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

import click
from neo4j import Driver, GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

ROOT = Path(__file__).parents[2]
POM = Path(__file__).with_name("pom.xml")
NEO4J = "neo4j"
USER, FIRST_PASSWORD = "neo4j", "neo4j"
"""What a new server knows; it asks for another password before anything else."""
PASSWORD = "CHAINGRAPH_NEO4J_PASSWORD"
START_SECONDS, STOP_SECONDS = 120.0, 20.0

CONFIGURATION = """
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=256m
db.tx_log.preallocate=false
db.tx_log.rotation.size=16m
db.tx_log.rotation.retention_policy=2 files
db.checkpoint.interval.time=1h
# by default a stop waits ten seconds for clients that might still say something
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
internal.dbms.bolt.netty_server_shutdown_timeout=1
"""

QUICK = ("-Xms256m", "-Xmx1500m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of a Java that is soon ended: the better compiler costs a third of the time of a run and does not pay. Of the
heap 70 % are for transactions: a commit of 50,000 life records needs 640 MiB."""
JAVA = [
    "java", *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.nio", "java.io", "sun.nio.ch")),
]  # fmt: skip


def version() -> str:
    """The version that pom.xml pins."""
    found = re.search(r"<neo4j.version>(.+)</neo4j.version>", POM.read_text(encoding="utf-8"))
    assert found
    return found[1]


def libraries() -> Path:
    """The folder of the server's jars. Raises RuntimeError when they have not been fetched."""
    folder = ROOT / ".cache" / "neo4j" / version()
    if not (folder / "stamp").exists():
        raise RuntimeError(f"Neo4j {version()} is not in {folder}: run `make setup-neo4j`.")
    return folder / "lib"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server; after `stop` it can be started again, on the same port and with what it holds.

    `java` are options of its Java. It ends with the process that started it, however that ends (on Linux).
    """

    def __init__(self, home: Path, password: str | None = None, java: Sequence[str] = QUICK) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"bolt://127.0.0.1:{self.port}"
        self.password = password or secrets.token_urlsafe(16)
        self._java = [*JAVA, *java]
        self._process: subprocess.Popen[bytes] | None = None
        self._driver: Driver | None = None
        (home / "conf").mkdir(parents=True)
        (home / "conf" / "neo4j.conf").write_text(CONFIGURATION.format(port=self.port), encoding="utf-8")

    @property
    def pid(self) -> int | None:
        """The number of its process while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def driver(self) -> Driver:
        """A driver of the server's own, to look at what the tested program did."""
        if self._driver is None:
            self._driver = GraphDatabase.driver(self.url, auth=(USER, self.password))
        return self._driver

    def start(self) -> Self:
        """Start it and wait until it answers; nothing happens if it runs. Raises RuntimeError with its output's end."""
        if self.pid is not None:
            return self
        # the kernel ends the server with us, even if we are killed
        tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        place = [f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}"]
        entry = ["-cp", str(libraries() / "*"), "org.neo4j.server.CommunityEntryPoint", *place]
        with (self.home / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*tied, *self._java, *entry], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.home
            )
        try:
            self._wait()
        except BaseException:
            self.stop(kill=True)
            raise
        return self

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        new = not (self.home / "ready").exists()
        while True:
            assert self._process
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                if new:
                    self._set_password()
                    new = False
                self.driver.execute_query("RETURN 1")
            except (OSError, DriverError, Neo4jError) as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    said = (self.home / "output.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Neo4j did not start in {self.home}: {error}\n{said}") from error
                time.sleep(0.05)
            else:
                (self.home / "ready").touch()
                return

    def _set_password(self) -> None:
        with GraphDatabase.driver(self.url, auth=(USER, FIRST_PASSWORD)) as first:
            first.execute_query(
                "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
                {"old": FIRST_PASSWORD, "new": self.password},
                database_="system",
            )

    def stop(self, *, kill: bool = False) -> None:
        """End it, in good order or (`kill`) at once; nothing happens if it does not run."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def wait(self) -> None:
        """Until it ends by itself or somebody presses Ctrl-C."""
        with suppress(KeyboardInterrupt):
            assert self._process
            self._process.wait()

    def wipe(self) -> None:
        """Remove all nodes and relationships; constraints and indexes stay."""
        with self.driver.session() as session:
            session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def on_neo4j(test: str) -> bool:
    """Whether a test is on Neo4j, which one of its parameters says."""
    return NEO4J in re.split(r"[][-]", test)


@cache
def running() -> Server:
    """The one server of this run, started at first use; the fixture `neo4j_server` ends it.

    Raises RuntimeError in a test that is not known to be on it: another process of the run may have a server already.
    """
    if "PYTEST_XDIST_WORKER" in os.environ and not on_neo4j(os.environ.get("PYTEST_CURRENT_TEST", "")):
        raise RuntimeError("A test on Neo4j says so by the fixture neo4j_server or a store in its parameters.")
    home = Path(tempfile.mkdtemp(prefix="chaingraph-neo4j-"))
    return Server(home, os.environ.get(PASSWORD)).start()


def main(command: list[str]) -> int:
    """Run a server in the foreground, and a command on it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="chaingraph-neo4j-") as folder:
        click.echo(f"Starting Neo4j {version()} ...", err=True)
        with Server(Path(folder) / "home") as server:
            told = {"CHAINGRAPH_STORE": server.url, "CHAINGRAPH_NEO4J_USER": USER, PASSWORD: server.password}
            done = subprocess.run(command, env=os.environ | told, check=False).returncode if command else 0
            if not done and not os.environ.get("ONCE"):
                values = " ".join(f"{name}={shlex.quote(value)}" for name, value in told.items())
                click.echo(f"\nNeo4j runs until Ctrl-C. To reach it from another terminal:\n  export {values}")
                server.wait()
            return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
