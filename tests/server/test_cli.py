"""The command line as a whole: names and options that scripts rely on, help, languages, usage, the server, the page."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import httpx
import pytest

from server.cli import main, output, reference
from server.cli.serving import addresses
from server.cli.session import environment_locale, program
from tests.neo4j.server import PASSWORD, Server
from tests.server.cli import Call

FIXED = {
    "demo": "",
    "load": "PATH… --as ORG --dry-run --strict --replace UPLOAD",
    "undo": "UPLOAD",
    "weak-links": "PRODUCT --kind reliability|supply|evidence --top N --explain RANK",
    "contributions": "PRODUCT --mission HOURS",
    "propagate": "PRODUCT --at HOURS[,HOURS…] --maker ORG",
    "single-points": "PRODUCT",
    "where-used": "PART",
    "neighbourhood": "ID",
    "class-rates": "PART --mechanism",
    "fit": "--part PART --maker ORG --by --distribution NAME --method mle|rr --interval wald|lr --level --picture",
    "compare": "--part PART --maker ORG --by --against --covariates",
    "forecast": "--part PART --maker ORG --months N --use-per-month USE --warranty-months N --picture",
    "growth": "--part --end --termination --level --picture",
    "lives": "--shape --out",
    "plan-test": "--reliability R --mission T --mtbf M --b-life L --share P --shape B --failures N --units N --af F",
    "trace": "ID… --along member|part_alias|contains|supplies|propagation|lot_genealogy --direction out|in --depth N",
    "template": "KIND",
    "serve": "--host --port --open",
    "token": "ORGANISATION --role --purpose --days N",
    "export": "DIR --graphml FILE",
}
"""Commands, arguments and options that scripts call by."""


def told(command: click.Command) -> str:
    """The usage of a command as one line, with the metavars of its options."""
    context = click.Context(command, info_name="")
    pieces = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    for each in command.params:
        if isinstance(each, click.Option):
            pieces += [max(each.opts, key=len), "" if each.is_flag else each.make_metavar(context).strip("[]")]
    return " ".join(pieces)


@pytest.mark.parametrize("name", FIXED)
def test_names_that_scripts_call_by_are_there(name: str) -> None:
    has = set(told(main.commands[name]).replace("HOURS[,HOURS…", "HOURS[,HOURS…]").split())
    assert [word for word in FIXED[name].split() if word not in has] == []
    assert {"--store", "--lang", "--format"} <= has


def test_help_is_in_the_language_of_the_environment_or_the_call() -> None:
    call = Call("sqlite:///none.db")
    assert "Take an upload back" in call("undo", "--help").stdout
    assert "撤销一次上传" in call("undo", "--help", "--lang", "zh").stdout
    chinese = Call("sqlite:///none.db", {"LC_ALL": "zh_CN.UTF-8"})
    assert "存储地址" in chinese("undo", "-h").stdout
    listed = chinese("--help").stdout
    assert "供应链可靠性图谱" in listed
    assert [name for name in main.commands if not re.search(f"^  {name} ", listed, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("environment", "locale"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_DE", "LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "C", "LC_ALL": ""}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], locale: str) -> None:
    assert environment_locale(environment) == locale


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["load"],
        ["undo"],
        ["load", "x", "--format", "xml"],
        ["load", "x", "--lang", "fr"],
        ["serve", "--port", "many"],
        ["propagate", "P"],
        ["propagate", "P", "--at", "soon"],
        ["weak-links", "P", "--kind", "other"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_nothing_on_standard_output(call: Call, words: list[str]) -> None:
    result = call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr


def test_the_page_is_what_the_code_says() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.markdown(), "run `python -m server.cli.reference`"


def test_every_option_and_argument_says_what_it_is_in_both_languages() -> None:
    page = reference.markdown()
    silent = [line for line in page.splitlines() if line.startswith("| `-") and re.search(r"\| *\|", line)]
    assert silent == []


def test_start_is_quick_because_analyses_are_imported_when_asked_for() -> None:
    code = "import sys, server.cli; sys.exit(any(name in sys.modules for name in ('analytics', 'scipy', 'starlette')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_table_that_is_too_wide_breaks_before_intervals_and_never_within_a_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    life = "230,000 (114,000–465,000)"
    output.table(["Mode", "Units", "Parameters", "Mean", "B10"], [["wear of the raceway", 7, life, life, life]] * 2)
    told = capsys.readouterr().out
    assert told.count(life) == 6
    output.table(["Mode", "Units", *"ABCD"], [["wear of the raceway " * 2, 7, *[f"eta {life}"] * 4]])
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 120
    assert (told.count("eta 230,000"), told.count("(114,000–465,000)")) == (4, 4)


def test_tables_align_with_chinese_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.cells import cell_len

    output.table(["零件", "损失", "理由"], [["主轴轴承A", 0.25, "长" * 90], ["x", 1234567.0, "why " * 30]])
    lines = capsys.readouterr().out.splitlines()
    ends = [
        cell_len(line[: line.index(number) + len(number)])
        for line in lines
        for number in ("0.25", "1,234,567")
        if number in line
    ]
    assert len(set(ends)) == 1
    assert max(map(cell_len, lines)) <= output.WIDTH
    assert sum(line.count("长") for line in lines) == 90


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-cmd", "'-cmd"),
        ("＝1", "'＝1"),
        ("-1.5", "-1.5"),
        (-1.5, -1.5),
        ("a=b", "a=b"),
        (None, None),
    ],
)
def test_no_cell_starts_a_formula(cell: object, written: object) -> None:
    assert output.safe(cell) == written


def test_serve_answers_at_the_addresses_it_prints(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", "--open", "--port", str(port), "--store", f"sqlite:///{tmp_path / 'store.db'}", "--lang", "en"]
    with subprocess.Popen(
        [sys.executable, "-m", "server", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            printed = [process.stdout.readline().split()[-1] for _ in addresses(console=True)]
            assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in printed)
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                health, table = client.get(printed[-1]), client.get(printed[-2])
                query = client.post(printed[0], json={"query": "{ __typename }"})
            assert (health.status_code, table.status_code) == (200, 200)
            assert query.json()["data"] == {"__typename": "Query"}
        finally:
            process.terminate()
    assert process.returncode in {0, -15}


def test_serve_comes_up_without_its_store_and_ends_when_told(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        port, nowhere = one.getsockname()[1], other.getsockname()[1]
    words = ["serve", "--open", "--port", str(port), "--store", f"bolt://127.0.0.1:{nowhere}", "--lang", "en"]
    with subprocess.Popen(
        [sys.executable, "-m", "server", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUTF8": "1", "CHAINGRAPH_CACHE": str(tmp_path)},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline().split()[-1] == f"http://127.0.0.1:{port}/graphql"
            with httpx.Client(
                transport=httpx.HTTPTransport(retries=8), base_url=f"http://127.0.0.1:{port}", timeout=2
            ) as client:
                assert client.get("/health").status_code == 200
                for answer in (
                    client.get("/health/ready"),
                    client.get("/tables/parts.csv"),
                    client.post("/graphql", json={"query": "{ parts { totalCount } }"}),
                ):
                    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        finally:
            process.terminate()
            started = time.monotonic()
            _, said = process.communicate()
    assert time.monotonic() - started < 10
    assert "does not answer yet" in said
    assert "Traceback" not in said


def test_serve_says_why_a_store_that_answers_cannot_be_used(neo4j_server: Server) -> None:
    environment = {**os.environ, "PYTHONUTF8": "1", PASSWORD: "wrong"}
    words = ["serve", "--port", "1", "--store", neo4j_server.url, "--lang", "en"]
    run = subprocess.run(
        [sys.executable, "-m", "server", *words], capture_output=True, text=True, check=False, env=environment
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "store.auth: " in run.stderr
    assert "CHAINGRAPH_NEO4J_PASSWORD" in run.stderr
    assert "Traceback" not in run.stderr


def test_hints_name_the_program_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "an env" / "bin" / "chaingraph"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert program("an env/bin/chaingraph") == program(str(script)) == "'an env/bin/chaingraph'"
    monkeypatch.chdir(script.parent)
    assert program(str(script)) == "./chaingraph"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert program(str(script)) == f"'{script}'"
    monkeypatch.setenv("PATH", str(script.parent))
    assert program(str(script)) == "chaingraph"
    assert program("server/__main__.py").endswith(" -m server")
    assert program("pytest/__main__.py") == program("somebody's notebook") == "chaingraph"


def test_an_open_address_is_warned_of(tmp_path: Path) -> None:
    with socket.socket() as taken:  # the port is in use: the server says so and ends
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        words = ["serve", "--host", "0.0.0.0", "--port", str(taken.getsockname()[1]), "--lang", "en"]
        store = ["--store", f"sqlite:///{tmp_path / 'store.db'}"]
        run = subprocess.run(
            [sys.executable, "-m", "server", *words, *store],
            env={**os.environ, "CHAINGRAPH_MODE": "development"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 1
    assert "the server is in development mode" in run.stderr
    assert "GraphiQL" not in run.stdout


def test_a_setting_that_cannot_be_used_is_refused_with_its_name(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "server", "serve", "--lang", "en", "--store", f"sqlite:///{tmp_path / 'store.db'}"],
        env={**os.environ, "CHAINGRAPH_NEO4J_AUTH": "open-sesame", "CHAINGRAPH_NEO4J_PASSWORD": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(
        "settings.invalid: A setting cannot be used: CHAINGRAPH_NEO4J_AUTH must be user/password."
    )
    assert "sesame" not in run.stderr
