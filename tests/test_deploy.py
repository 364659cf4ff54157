"""What is deployed keeps its promises: the image, the compose file, and the bundle for plants without a network.

Nothing here needs a container engine: the files are read, and the commands in them are run where they are.
"""

import fnmatch
import hashlib
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from chaingraph.settings import PREFIX, SECRETS, Settings
from server.health import trouble
from tests.test_repository import PACKAGES, ROOT, tracked

COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
VARIABLE = r"\$\{(\w+):-([^}]*)\}"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their words."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def last(name: str) -> str:
    return [words for instruction, words in instructions() if instruction == name][-1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file where nobody sets any variable."""
    read: dict[str, Any] = yaml.safe_load(re.sub(VARIABLE, r"\2", COMPOSE))
    return read


@pytest.fixture(scope="module")
def bundle() -> ModuleType:
    """The script behind `make bundle`."""
    spec = importlib.util.spec_from_file_location("bundle", ROOT / ".ci" / "bundle.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# the image


def test_the_image_is_made_of_images_that_can_be_named_and_of_pinned_wheels_only() -> None:
    named = {words.partition("=")[0] for name, words in instructions() if name == "ARG"}
    assert [words for name, words in instructions() if name == "FROM"] == [
        "${PYTHON_IMAGE} AS build",
        "${PYTHON_IMAGE}",
    ]
    assert named == {"PYTHON_IMAGE", "PIP_INDEX_URL"}
    assert "ADD" not in dict(instructions())
    installs = [line for name, words in instructions() if name == "RUN" for line in re.findall(r"pip install.*", words)]
    assert ["--require-hashes" in line or "--no-index" in line for line in installs] == [True, True]


def test_the_image_holds_what_the_program_is_made_of() -> None:
    copied = [path for name, words in instructions() if name == "COPY" for path in words.split()[:-1] if path[0] != "-"]
    copied.remove("/app")  # from the stage before
    assert set(copied) == {*PACKAGES, "requirements/run.txt", "pyproject.toml", "LICENSE"}
    assert [path for path in copied if not (ROOT / path).exists()] == []
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(copied)
    shut_out = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    kept = [str(path.relative_to(ROOT)) for path in tracked()]
    assert [path for path in kept for part in Path(path).parts if any(fnmatch.fnmatch(part, r) for r in shut_out)] == []


def test_the_image_starts_the_server_as_nobody_in_particular_and_asks_after_it() -> None:
    assert last("USER") == "10001:10001"
    assert [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))] == ["chaingraph", "serve", "--host", "0.0.0.0"]
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert command == ["python", "-P", "-m", "server.health"]
    environment = dict(word.split("=", 1) for name, words in instructions() if name == "ENV" for word in words.split())
    data = last("VOLUME")
    assert environment["CHAINGRAPH_STORE"] == f"sqlite:///{data}/chaingraph.db"
    assert environment["CHAINGRAPH_CACHE"] == f"{data}/cache"
    assert last("WORKDIR") == data


WATCHED = """
import os, sys
allowed = [os.path.realpath(each) for each in sys.argv.pop(1).split(os.pathsep)]
def watch(event, given):
    written = {"os.mkdir": given[:1], "os.rename": given[:2], "os.remove": given[:1], "os.link": given[1:2]}.get(event)
    if event == "open" and (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written = given[:1]
    for path in written or ():
        full = os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if full and not full.startswith("/dev/") and not any(full.startswith(each) for each in allowed):
            os.write(2, f"written: {event} {full}\\n".encode())
            os._exit(9)
sys.addaudithook(watch)
from server.cli import main
main(prog_name="chaingraph")
"""
"""The program, ended as soon as it writes anywhere but into the folders named first."""


def test_the_server_writes_nowhere_but_to_its_volume_and_tmp(tmp_path: Path) -> None:
    volume, tmp = tmp_path / "data", tmp_path / "tmp"
    for folder in (volume, tmp):
        folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
        "TMPDIR": str(tmp),
        "CHAINGRAPH_STORE": f"sqlite:///{volume}/chaingraph.db",
        "CHAINGRAPH_CACHE": f"{volume}/cache",
    }
    program = [sys.executable, "-c", WATCHED, f"{volume}{os.pathsep}{tmp}"]
    sheet = tmp / "parts.csv"
    sheet.write_text("part number,name\nA1,housing\n", encoding="utf-8")
    load = subprocess.run(
        [*program, "load", sheet, "--as", "L01"],
        cwd=volume,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "written:" not in load.stderr
    assert load.returncode == 0, load.stderr
    with (tmp_path / "serve.log").open("w+") as log:
        server = subprocess.Popen(
            [*program, "serve", "--open", "--port", str(port)], cwd=volume, env=environment, stderr=log
        )
        try:
            until = time.monotonic() + 60
            while (
                trouble(f"http://127.0.0.1:{port}/health/ready") and time.monotonic() < until and server.poll() is None
            ):
                time.sleep(0.05)
            assert trouble(f"http://127.0.0.1:{port}/tables/parts.csv") is None
            assert server.poll() is None
        finally:
            server.terminate()
            server.wait(20)
        log.seek(0)
        assert "written:" not in log.read()
    watched = WATCHED.replace("from server.cli import main", "open('elsewhere', 'w')")
    refused = subprocess.run([sys.executable, "-c", watched, str(tmp)], cwd=volume, env=environment, check=False)
    assert refused.returncode == 9  # the watch does watch


# the compose file


def test_every_image_can_be_taken_from_a_mirror(compose: dict[str, Any]) -> None:
    images = re.findall(rf"^ *(?:image|PYTHON_IMAGE): {VARIABLE}$", COMPOSE, re.MULTILINE)
    assert dict(images) == {
        "CHAINGRAPH_IMAGE": f"chaingraph:{version()}",
        "PYTHON_IMAGE": last_default("PYTHON_IMAGE"),
        "NEO4J_IMAGE": "neo4j:5.26-community",
    }
    assert len(images) == len(compose["services"]) + 1


def version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def last_default(argument: str) -> str:
    """The default of an argument of the Dockerfile."""
    return next(words.partition("=")[2] for name, words in instructions() if name == "ARG" and f"{argument}=" in words)


def test_no_port_is_open_to_other_machines_where_nobody_says_so(compose: dict[str, Any]) -> None:
    ports = {port for service in compose["services"].values() for port in service["ports"]}
    assert ports == {"127.0.0.1:8000:8000", "127.0.0.1:7474:7474", "127.0.0.1:7687:7687"}
    assert last("EXPOSE") == "8000"


def test_services_run_without_root_capabilities_or_new_privileges(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert {"healthcheck", "mem_limit", "restart"} <= service.keys()
    assert compose["services"]["application"]["read_only"] is True
    assert compose["services"]["application"]["tmpfs"][0].startswith("/tmp:")
    assert "user" not in compose["services"]["application"]  # the image's own, which is not root
    assert compose["services"]["neo4j"]["user"] == "7474:7474"


def test_what_must_last_is_in_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {name: dict(v.split(":") for v in each["volumes"]) for name, each in compose["services"].items()}
    assert mounted == {"application": {"application": last("VOLUME")}, "neo4j": {"database": "/data", "logs": "/logs"}}
    assert set(compose["volumes"]) == {name for volumes in mounted.values() for name in volumes}


def test_the_application_waits_for_a_healthy_database_and_is_healthy_when_it_can_be_read(
    compose: dict[str, Any],
) -> None:
    application, database = compose["services"]["application"], compose["services"]["neo4j"]
    assert application["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    image = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert application["healthcheck"]["test"] == ["CMD", *image, "http://127.0.0.1:8000/health/ready"]
    assert "cypher-shell" in database["healthcheck"]["test"][1]


def test_the_password_is_in_a_file_and_nowhere_else(
    compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, database = compose["services"]["application"], compose["services"]["neo4j"]
    (given,) = application["secrets"]
    assert given["source"] in compose["secrets"]
    assert database["environment"]["NEO4J_AUTH_FILE"] == f"{SECRETS}/{database['secrets'][0]}"
    assert not [name for name in (*application["environment"], *database["environment"]) if name == "NEO4J_AUTH"]
    assert not re.search(r"PASSWORD: ", COMPOSE)
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / given["target"]).write_text("neo4j/open-sesame/2\n", encoding="utf-8")
    monkeypatch.delenv("CHAINGRAPH_NEO4J_PASSWORD", raising=False)
    read = Settings(_secrets_dir=folder, _env_file=None)
    assert read.neo4j_password
    assert (read.neo4j_user, read.neo4j_password.get_secret_value()) == ("neo4j", "open-sesame/2")
    # the health check takes the same user and password out of the file, and shows neither on a command line
    shell = tmp_path / "cypher-shell"
    shell.write_text('#!/bin/sh\necho "$NEO4J_USERNAME $NEO4J_PASSWORD $@"\n', encoding="utf-8")
    shell.chmod(0o755)
    check = database["healthcheck"]["test"][1].replace("$$", "$").replace(str(SECRETS), str(tmp_path))
    (tmp_path / "neo4j_auth").write_text("neo4j/open-sesame/2\n", encoding="utf-8")
    run = subprocess.run(
        ["sh", "-c", check],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "neo4j open-sesame/2 --address bolt://localhost:7687 --format plain RETURN 1\n"


def test_git_takes_no_secrets() -> None:
    secret = ["secrets/neo4j_auth", ".env"]
    ignored = subprocess.run(["git", "check-ignore", *secret], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ignored.stdout.split() == secret


def test_what_the_application_is_told_is_a_setting(compose: dict[str, Any]) -> None:
    application = compose["services"]["application"]
    names = {name.removeprefix(PREFIX).lower() for name in application["environment"] if name.startswith(PREFIX)}
    names |= {given["target"].removeprefix(PREFIX.lower()) for given in application["secrets"]}
    assert names - {"store"} <= set(Settings.model_fields)
    assert application["environment"]["CHAINGRAPH_STORE"] == "bolt://neo4j:7687"
    assert application["environment"]["CHAINGRAPH_HOSTS"]


def test_the_database_fits_into_its_memory(compose: dict[str, Any]) -> None:
    def mebibytes(size: str) -> int:
        return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]

    database = compose["services"]["neo4j"]
    given = database["environment"]
    heap = mebibytes(given["NEO4J_server_memory_heap_max__size"])
    assert given["NEO4J_server_memory_heap_initial__size"] == given["NEO4J_server_memory_heap_max__size"]
    assert heap + mebibytes(given["NEO4J_server_memory_pagecache_size"]) <= 0.75 * mebibytes(database["mem_limit"])


def test_every_variable_of_the_compose_file_is_documented() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert [name for name, default in re.findall(VARIABLE, COMPOSE) if f"`{name}`" not in page] == []


def test_every_setting_is_documented_as_it_is_declared() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| (.+?) \|", page, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        assert rows.get(name.upper()) == field.description


# the bundle


@pytest.fixture(scope="module")
def packed(bundle: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle without the pinned wheels, which come from a network: its folder and the archive."""
    folder = tmp_path_factory.mktemp("bundle")
    source = bundle.export(folder / "source")
    content = folder / f"chaingraph-{version()}-offline-linux_x86_64"
    bundle.gather(source, content)
    python = f"3.{sys.version_info.minor}"
    bundle.finish(content, "linux_x86_64", [python])
    return content, bundle.pack(content, folder / "dist", 1_700_000_000)


def test_our_wheel_holds_everything_that_the_packages_are_made_of(packed: tuple[Path, Path]) -> None:
    (wheel,) = (packed[0] / "wheels").glob("*.whl")
    assert wheel.name == f"chaingraph-{version()}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as opened:
        inside = {name for name in opened.namelist() if ".dist-info/" not in name}
    committed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--name-only", "HEAD", *PACKAGES], cwd=ROOT, check=True, capture_output=True
    )
    assert inside == {name for name in committed.stdout.decode().split("\0") if name}


def test_the_archive_is_whole_and_the_same_each_time(
    packed: tuple[Path, Path], bundle: ModuleType, tmp_path: Path
) -> None:
    content, archive = packed
    again = bundle.pack(content, tmp_path, 1_700_000_000)
    assert archive.name == f"chaingraph-{version()}-offline-linux_x86_64.tar.gz"
    assert again.read_bytes() == archive.read_bytes()
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    unpacked = tmp_path / content.name
    listed = [line.split("  ") for line in (unpacked / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert {name: hashlib.sha256((unpacked / name).read_bytes()).hexdigest() for _, name in listed} == {
        name: digest for digest, name in listed
    }
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {name for _, name in listed} == files - {"SHA256SUMS"}
    assert {"compose.yaml", "images.txt", "requirements.txt", "install.sh", "install.cmd", "docs/operate.md"} <= files
    assert (unpacked / "images.txt").read_text(encoding="utf-8").split() == [
        f"chaingraph:{version()}",
        "neo4j:5.26-community",
    ]
    assert os.access(unpacked / "install.sh", os.X_OK)
    assert (unpacked / "install.cmd").read_bytes().count(b"\r\n") > 2


def test_for_windows_the_archive_is_a_zip(packed: tuple[Path, Path], bundle: ModuleType, tmp_path: Path) -> None:
    content = packed[0].rename(packed[0].with_name(f"chaingraph-{version()}-offline-win_amd64"))
    try:
        archive = bundle.pack(content, tmp_path, 1_700_000_000)
    finally:
        content.rename(packed[0])
    assert archive.name.endswith("-win_amd64.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert f"{content.name}/install.cmd" in opened.namelist()


def test_the_installer_takes_no_changed_file_and_no_other_python(packed: tuple[Path, Path], tmp_path: Path) -> None:
    content, _ = packed

    def install() -> subprocess.CompletedProcess[str]:
        command = ["sh", str(content / "install.sh"), str(tmp_path / "env")]
        environment = {**os.environ, "PYTHON": sys.executable, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    for name, other, said in (
        ("images.txt", "evil:latest\n", "Not as it was packed, copy it again"),
        ("platform.txt", "linux_x86_64 3.99\n", "with Python 3.99; this is Python 3."),
    ):
        whole = (content / name).read_text(encoding="utf-8")
        (content / name).write_text(other, encoding="utf-8")
        try:
            refused = install()
        finally:
            (content / name).write_text(whole, encoding="utf-8")
        assert refused.returncode == 1
        assert said in refused.stderr
        assert not (tmp_path / "env").exists()


def test_this_system_has_a_name_and_linux_is_asked_for_by_every_tag(bundle: ModuleType) -> None:
    if sys.platform == "linux":
        assert bundle.here() == f"linux_{os.uname().machine}"
        assert bundle.here() in bundle.PLATFORMS
    assert bundle.PLATFORMS["linux_aarch64"][0] == "manylinux_2_28_aarch64"
    assert bundle.PLATFORMS["linux_aarch64"][-1] == "manylinux2014_aarch64"
