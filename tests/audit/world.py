"""The small consortium of the tests of agreements, with agreements, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaingraph import Entry, Workspace
from chaingraph.agreements import accept, propose
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from tests.agreements.world import L01, S1, S2, actor, consortium, terms
from tests.server.client import Client, acting


def shared(folder: Path) -> tuple[Workspace, dict[str, str]]:
    """S1 shows L01 its structure and supply, S2 only its structure; the keys of the two agreements."""
    workspace = consortium(folder)
    keys = {}
    for owner, aspects in ((S1, ("structure", "supply", "identity")), (S2, ("structure", "identity"))):
        key = propose(workspace, owner, terms(owner.organisation, aspects=aspects))
        accept(workspace, L01, key.partition("/")[0])
        keys[owner.organisation] = key
    return workspace, keys


def client(workspace: Workspace, organisation: str, role: AccessRole = AccessRole.QUALITY) -> Client:
    """Requests of an organisation."""
    return Client(create_app(workspace, Settings(authenticate=acting(organisation, role, account=f"{organisation}-1"))))


def entries(workspace: Workspace, since: int = 0) -> list[Entry]:
    """The log from an entry on."""
    return [Entry.read(leaf) for leaf in workspace.store.leaves("audit", since)]


def ask(caller: Client, query: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    response = caller.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = json.loads(response.content)
    assert response.status_code == 200, body
    assert "errors" not in body, body
    found: dict[str, Any] = body["data"]
    return found


__all__ = ["actor", "ask", "client", "entries", "shared"]
