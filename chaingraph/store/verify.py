"""Has the past been changed? The journal's chain, computed anew."""

from __future__ import annotations

from chaingraph.changes import chained
from chaingraph.store.base import Store


def verify(store: Store) -> int | None:
    """The first revision at which the journal is not what was committed, None if there is none.

    The payloads must give the contents' digests, and the contents must chain, without a gap, to the head's digest.
    """
    head = store.head()
    digest, expected = b"", 1
    for commit in store.journal(0, head.revision):
        if commit.revision != expected:
            return expected
        try:
            content = commit.changes(None).content
        except Exception:  # noqa: BLE001 - whatever keeps a changed payload from being read
            return expected
        digest = chained(digest, commit.revision, commit.id, content)
        if content != commit.content or digest != commit.digest:
            return expected
        expected += 1
    return None if expected == head.revision + 1 and digest == head.digest else expected
