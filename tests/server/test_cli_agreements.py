"""Agreements and requests for names from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Workspace
from tests.agreements.world import consortium
from tests.server.cli import Call


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Calls on a store with the small consortium."""
    consortium(tmp_path).close()
    return Call(f"sqlite:///{tmp_path / 'graph.db'}")


def said(call: Call, *words: str) -> Any:
    """The JSON of an answer that went well."""
    result = call(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


PROPOSAL = (
    "--as", "S1", "--grantee", "L01", "--aspects", "supply,structure", "--purposes", "quality", "--until", "2099-01-01",
)  # fmt: skip


def test_from_proposal_to_the_end(call: Call) -> None:
    found = call("agreements", "propose", *PROPOSAL)
    assert found.exit_code == 0
    assert "After this, L01 can see what S1 states" in found.stdout
    assert "Proposed: AG-" in found.stderr
    (row,) = said(call, "agreements", "list", "--as", "L01")
    assert (row["state"], row["aspects"], row["end"]) == ("proposed", "structure;supply", "2099-01-01T00:00:00Z")
    assert said(call, "agreements", "list", "--as", "S3") == []
    number = row["id"]
    assert said(call, "agreements", "accept", number, "--as", "L01")["agreement"] == f"{number}/1"
    assert said(call, "agreements", "show", number, "--as", "S1")["state"] == "accepted"
    assert said(call, "agreements", "revoke", number, "--as", "L01")["numbers"] == [f"{number}/1"]
    assert said(call, "agreements", "list", "--state", "revoked", "--as", "S1")[0]["key"] == f"{number}/1"


def test_another_version_and_no(call: Call) -> None:
    number = said(call, "agreements", "propose", *PROPOSAL)["agreement"].partition("/")[0]
    second = said(call, "agreements", "propose", *PROPOSAL, "--id", number, "--mode", "use")
    assert second["agreement"] == f"{number}/2"
    assert said(call, "agreements", "decline", number, "--version", "1", "--as", "L01")["numbers"] == [f"{number}/1"]


def test_a_dry_run_and_a_preview_write_nothing(call: Call) -> None:
    preset = ("--preset", "customer", "--grantee", "L01", "--as", "S1")
    found = call("agreements", "preview", *preset, "--lang", "zh")
    assert "此后，L01可以查看S1所述的" in found.stdout
    tried = said(call, "agreements", "propose", *preset, "--dry-run")
    assert (tried["dry_run"], tried["agreement"]) == (True, None)
    assert {each["kind"]: each["rows"] for each in tried["shared"]}["contains"] == 1
    assert said(call, "agreements", "list") == []


def test_nobody_elses(call: Call) -> None:
    number = said(call, "agreements", "propose", *PROPOSAL)["agreement"].partition("/")[0]
    hidden = call("agreements", "show", number, "--as", "S3")
    missing = call("agreements", "show", "AG-none", "--as", "S3")
    assert (hidden.exit_code, hidden.stderr) == (missing.exit_code, missing.stderr) == (1, hidden.stderr)
    assert hidden.stderr.startswith("agreement.unknown:")


@pytest.mark.parametrize("lacking", ["--grantee", "--aspects", "--purposes"])
def test_what_is_missing_is_wrong_usage(call: Call, lacking: str) -> None:
    at = PROPOSAL.index(lacking)
    result = call("agreements", "propose", *PROPOSAL[:at], *PROPOSAL[at + 2 :])
    assert result.exit_code == 2
    assert lacking in result.stderr
    assert call("agreements", "propose", *PROPOSAL[2:]).exit_code == 2


def test_out_as_odrl_and_in_again(call: Call, tmp_path: Path) -> None:
    number = said(call, "agreements", "propose", *PROPOSAL, "--at-end", "delete")["agreement"].partition("/")[0]
    exported = call("agreements", "export", number, "--as", "L01")
    assert "Not in it: Start" in exported.stderr
    file = tmp_path / "policy.json"
    file.write_text(exported.stdout, encoding="utf-8")
    found = said(call, "agreements", "import", str(file), "--as", "S1", "--dry-run")
    assert found["unread"] == []
    assert {"owner", "grantee", "aspects", "purposes", "end", "at_end"} <= set(found["said"])
    taken = said(call, "agreements", "import", str(file), "--as", "S1", "--id", number)
    assert taken["agreement"] == f"{number}/2"
    one, two = said(call, "agreements", "list", "--as", "S1")
    same = ("owner", "grantee", "records", "aspects", "purposes", "end", "at_end", "mode", "onward")
    assert [one[name] for name in same] == [two[name] for name in same]


def test_a_document_that_says_little_is_completed_or_refused(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    rule = {"action": "use", "constraint": {"leftOperand": "FrameworkAgreement", "operator": "eq", "rightOperand": "x"}}
    file.write_text(json.dumps({"permission": [rule]}), encoding="utf-8")
    bare = call("agreements", "import", str(file), "--as", "S1")
    assert bare.exit_code == 2
    assert "--grantee, --aspects, --purposes" in bare.stderr
    assert said(call, "agreements", "import", str(file), *PROPOSAL, "--dry-run")["said"] == []
    file.write_text("no JSON", encoding="utf-8")
    assert call("agreements", "import", str(file), *PROPOSAL).exit_code == 1


def test_the_name_behind_a_pseudonym(call: Call) -> None:
    for firm in ("S1", "S2"):
        mine = ("--as", firm, *PROPOSAL[2:])
        number = said(call, "agreements", "propose", *mine)["agreement"].partition("/")[0]
        said(call, "agreements", "accept", number, "--as", "L01")
    with Workspace.open(call.store) as workspace:
        suppliers = workspace.view("L01").table("supplies")["supplier"]
        (name,) = {each for each in suppliers if each.startswith("P-")}
    (number,) = said(call, "identities", "request", name, "--as", "L01", "--reason", "one source")["numbers"]
    (mine,) = said(call, "identities", "list", "--as", "S1")
    assert (mine["subject"], mine["reason"], mine["state"]) == ("S9", "one source", "requested")
    assert {each["subject"] for each in said(call, "identities", "list", "--as", "L01")} == {None}
    assert said(call, "identities", "grant", number, "--as", "S1", "--until", "2099-01-01")["state"] == "granted"
    assert said(call, "identities", "decline", number, "--as", "S2", "--dry-run")["dry_run"]
    assert call("identities", "grant", number, "--as", "S3").exit_code == 1
    assert call("identities", "request", "P-aaaaaaaaaaaa", "--as", "S3").exit_code == 1
    assert call("identities", "request", name).exit_code == 2
