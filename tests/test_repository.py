"""The repository keeps its promises: names of its own, pins with hashes, no machine's paths, true commands."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PACKAGES = ("schema", "chaingraph", "ingest", "analytics", "server", "fixtures")
PINS = sorted((ROOT / "requirements").glob("*.txt"))
REGISTRIES = (
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|maven\.org|crates\.io|golang\.org|debian\.org"
)
MACHINE_PATHS = r"(?<![\w./:$}~-])/(?:work|root|home|opt|Users)/"


def tracked() -> list[Path]:
    """Files that git keeps, those just deleted left out."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def pinned(pins: Path) -> list[Requirement]:
    """The requirements of a compiled file, without hashes and comments."""
    joined = pins.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.split("--hash")[0].strip() for line in joined.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def commands(document: Path) -> Iterator[list[str]]:
    """Every command in the shell blocks of a Markdown file, as words; in a `console` block only what follows a `$`."""
    for language, block in re.findall(
        r"^[ \t]*```(sh|bash|console)\n(.*?)^[ \t]*```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        for line in block.replace("\\\n", " ").splitlines():
            prompt, rest = re.match(r"\s*(\$ )?(.*)", line).groups()  # type: ignore[union-attr]  # matches any line
            if language == "console" and not prompt:
                continue
            lexer = shlex.shlex(rest, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if word[0] in ";|&()<>":
                    if words:
                        yield words
                    words = []
                elif words or not re.fullmatch(r"\w+=.*", word):
                    words.append(word)


def spelled(command: click.Command) -> set[str]:
    """The options that a command takes."""
    return {"--help"} | {name for option in command.params for name in (*option.opts, *option.secondary_opts)}


MARKDOWN = [path for path in tracked() if path.suffix == ".md"]


def test_no_dependency_brings_a_module_with_a_name_of_ours() -> None:
    providers = packages_distributions()
    taken = {name: set(providers.get(name, [])) - {"chaingraph"} for name in (*PACKAGES, "tests", "benchmarks")}
    assert {name: by for name, by in taken.items() if by} == {}


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_the_environment_is_the_pinned_one(name: str) -> None:
    wanted = [r for r in pinned(ROOT / "requirements" / name) if r.marker is None or r.marker.evaluate()]
    assert {r.name: version(r.name) for r in wanted} == {r.name: str(r.specifier).removeprefix("==") for r in wanted}


@pytest.mark.parametrize("pins", PINS, ids=lambda path: path.name)
def test_every_pin_is_exact_and_has_hashes(pins: Path) -> None:
    joined = pins.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_what_runs_has_the_same_version_wherever_it_is_pinned() -> None:
    """But for the programs that fits are compared with: they live apart because they ask for older packages."""
    versions: dict[str, set[str]] = {}
    for pins in PINS:
        if pins.name == "oracles.txt":
            continue
        for requirement in pinned(pins):
            versions.setdefault(requirement.name, set()).add(str(requirement.specifier))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_nothing_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if match := re.search(f"{REGISTRIES}|{MACHINE_PATHS}", line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert found == []


def test_the_licence_is_there() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_every_package_and_module_says_what_it_is_for() -> None:
    sources = [path for path in tracked() if path.suffix == ".py"]
    assert {path.parent.name for path in sources} >= set(PACKAGES)
    silent = [path for path in sources if not ast.get_docstring(ast.parse(path.read_bytes()))]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_begins_with_the_two_commands(name: str) -> None:
    typed = [" ".join(words) for words in commands(ROOT / name) if words[0] == "make"]
    assert typed[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("document", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_documents_exist(document: Path) -> None:
    from server.cli import main

    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for words in commands(document):
        program, *rest = words
        if program == "make":
            wrong += [f"make {word}" for word in rest if word[0] != "-" and "=" not in word and word not in targets]
        elif Path(program).name == "chaingraph":
            group: click.Command = main
            known = spelled(group)
            for word in rest:
                if word.startswith("--") and word.split("=")[0] not in known:
                    wrong.append(f"{' '.join(words)}: no option {word}")
                elif isinstance(group, click.Group) and not word.startswith("-"):
                    if word not in group.commands:
                        wrong.append(f"chaingraph {word}")
                        break
                    group = group.commands[word]
                    known |= spelled(group)
    assert wrong == []


def test_relative_links_in_documents_lead_somewhere() -> None:
    links = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
    dead = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in MARKDOWN
        for target in links.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert dead == []


def test_what_may_be_used_and_not_seen_is_opened_by_few() -> None:
    """`chaingraph.basis`, and what a view keeps for it, are for whoever answers for what leaves."""
    opened = re.compile(r"from chaingraph\.basis|from chaingraph import .*\bbasis\b|\bview\._source\b")
    found = {
        str(path.relative_to(ROOT))
        for folder in ("chaingraph", "ingest", "analytics", "server", "fixtures")
        for path in (ROOT / folder).rglob("*.py")
        if opened.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "analytics/core.py",
        "analytics/disclosure.py",
        "chaingraph/audit/owners.py",
        "chaingraph/basis.py",
        "chaingraph/contradictions.py",
    }
