"""The Merkle tree over a log's leaves: its root, proofs that a leaf is in it, proofs that one log continues another.

As RFC 6962 section 2.1 and RFC 9162 section 2.1 define them, with SHA-256. Hashes are 32 bytes, leaves are numbered
from 0, a proof is a list of hashes, those next to the leaves first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\0" + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, level by level; a node without a neighbour goes up as it is."""
    level = list(hashes)
    while len(level) > 1:
        pairs, last = iter(level), level[-1:] if len(level) % 2 else []
        level = [_node(left, right) for left, right in zip(pairs, pairs, strict=False)] + last
    return level[0] if level else sha256(b"").digest()


class Frontier:
    """A tree that grows: only the roots of its complete parts are kept, at most one for each bit of `size`."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append one leaf."""
        found, full = leaf_hash(leaf), self.size
        while full & 1:
            found = _node(self._roots.pop(), found)
            full >>= 1
        self._roots.append(found)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves."""
        for leaf in leaves:
            self.add(leaf)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._roots:
            return root([])
        *rest, found = self._roots
        for each in reversed(rest):
            found = _node(each, found)
        return found


def _split(size: int) -> int:
    """How many leaves are left of a tree's top: the largest power of two below its size."""
    return 1 << (size - 1).bit_length() - 1


def inclusion(hashes: Sequence[bytes], number: int) -> list[bytes]:
    """The proof that a leaf is in the tree over these leaf hashes. Raises IndexError for a leaf that is not."""
    if not 0 <= number < len(hashes):
        raise IndexError(number)
    low, high, proof = 0, len(hashes), []
    while high - low > 1:
        middle = low + _split(high - low)
        if number < middle:
            proof.append(root(hashes[middle:high]))
            high = middle
        else:
            proof.append(root(hashes[low:middle]))
            low = middle
    return proof[::-1]


def consistency(hashes: Sequence[bytes], before: int) -> list[bytes]:
    """The proof that the tree over these leaf hashes continues that of its first `before` leaves.

    Raises IndexError where it never had so many.
    """
    if not 0 <= before <= len(hashes):
        raise IndexError(before)
    low, high, proof = 0, len(hashes), []
    while 0 < before < high:
        middle = low + _split(high - low)
        if before <= middle:
            proof.append(root(hashes[middle:high]))
            high = middle
        else:
            proof.append(root(hashes[low:middle]))
            low = middle
    return [*([root(hashes[low:high])] if low else []), *reversed(proof)]


def included(leaf: bytes, number: int, size: int, proof: Sequence[bytes], top: bytes) -> bool:
    """Whether a proof shows that a leaf (its hash) has this number in the tree of `size` leaves with the root `top`."""
    if not 0 <= number < size:
        return False
    at, last, found = number, size - 1, leaf
    for each in proof:
        if not last:
            return False
        if at & 1 or at == last:
            found = _node(each, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = _node(found, each)
        at, last = at >> 1, last >> 1
    return not last and found == top


def continues(before: int, size: int, proof: Sequence[bytes], top_before: bytes, top: bytes) -> bool:
    """Whether a proof shows that the tree of `size` leaves with the root `top` continues that of `before` leaves."""
    if not 0 < before < size:
        return not proof and (before == 0 < size or (before == size and top_before == top))
    steps = [top_before, *proof] if not before & before - 1 else list(proof)
    at, last = before - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not steps:
        return False
    old = new = steps[0]
    for each in steps[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            old, new = _node(each, old), _node(each, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = _node(new, each)
        at, last = at >> 1, last >> 1
    return not last and old == top_before and new == top
