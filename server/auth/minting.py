"""Opaque tokens: 256 random bits, of which the store keeps a keyed hash only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cached_property

from chaingraph import Workspace

SECRET = "tokens"  # noqa: S105 - the name of a secret
NAME, BITS, TAG = 12, 32, 16
"""Bytes of a token: its name, the random ones, and the tag."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A new token: `name` is what the log and lists call it, `digest` what is kept, `text` is shown once."""

    name: str
    digest: str
    text: str


class Mint:
    """Makes the tokens of one sort and tells whether one can be ours.

    A token is `prefix` and, in base64url, its name, random bytes and a tag: an HMAC keyed with the store, so that a
    guess is refused before the store is asked for it.
    """

    def __init__(self, workspace: Workspace, prefix: str) -> None:
        self._workspace = workspace
        self.prefix = prefix

    def make(self) -> Minted:
        """A new token."""
        body = secrets.token_bytes(NAME + BITS)
        text = self.prefix + base64.urlsafe_b64encode(body + self._tag(body)).decode()
        return Minted(body[:NAME].hex(), self.digest(text), text)

    def name(self, text: str) -> str | None:
        """The name of a token that was made here; None for anything else."""
        try:
            body = base64.b64decode(text.removeprefix(self.prefix).encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        known = text.startswith(self.prefix) and len(body) == NAME + BITS + TAG
        if not (known and hmac.compare_digest(self._tag(body[:-TAG]), body[-TAG:])):
            return None
        return body[:NAME].hex()

    def digest(self, text: str) -> str:
        """What is kept of a token."""
        return hmac.digest(self._key, b"kept" + text.encode(), hashlib.sha256).hex()

    def holds(self, text: str, digest: str) -> bool:
        """Whether a token is the one of which `digest` was kept, in a time that does not tell."""
        return hmac.compare_digest(self.digest(text), digest)

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, b"tag" + self.prefix.encode() + body, hashlib.sha256)[:TAG]

    @cached_property
    def _key(self) -> bytes:
        return self._workspace.store.secret(SECRET)
