"""An identity provider in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
AUDIENCE = "https://chaingraph.test/api"


@dataclass
class Provider:
    """It, and what it said last; `issuers` has ours and one that has the same keys and is not ours."""

    process: subprocess.Popen[str]
    issuers: list[str]
    kids: list[str]

    def tell(self, line: str) -> None:
        """`rotate` or `withdraw`."""
        self.kids = self._asked(line)["kids"]

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """A token that says anything, signed with its own key."""
        return str(self._asked(json.dumps({"header": header, "claims": claims}))["token"])

    def token(self, client: str = "quality", audience: str = AUDIENCE, issuer: int = 0) -> str:
        """A real access token."""
        form = {"grant_type": "client_credentials", "resource": audience, "scope": "graph"}
        answer = httpx.post(f"{self.issuers[issuer]}/token", data=form, auth=(client, "secret"), trust_env=False)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def published(self) -> list[dict[str, Any]]:
        """The keys that it publishes."""
        found: list[dict[str, Any]] = httpx.get(f"{self.issuers[0]}/jwks", trust_env=False).json()["keys"]
        return found

    def _asked(self, line: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._said()

    def _said(self) -> dict[str, Any]:
        assert self.process.stdout
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, "the provider ended; `make setup-oidc` installs it"
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on free ports, ended at the end."""
    process = subprocess.Popen(
        ["node", "--no-warnings", "provider.js"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            provider = Provider(process, [], [])
            said = provider._said()
            provider.issuers, provider.kids = said["issuers"], said["kids"]
            yield provider
        finally:
            process.terminate()
