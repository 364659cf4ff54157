"""The Merkle tree against published vectors, and against every tree of up to 70 leaves."""

import time

import pytest

from chaingraph.audit.tree import (
    Frontier,
    consistency,
    continues,
    included,
    inclusion,
    leaf_hash,
    root,
)

# The eight leaves of Certificate Transparency's tests, with the roots and proofs published for them: Certificate
# Transparency's merkle_tree_test.cc; the same in transparency-dev/merkle, proof/verify_test.go (Apache-2.0).
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
G = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
INCLUDED = {
    (0, 1): [], (0, 8): [A, B, C], (5, 8): [D, E, ROOTS[4]], (2, 3): [ROOTS[2]], (1, 5): [ROOTS[1], B, D],
}  # fmt: skip
CONTINUES = {
    (1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[4]], (2, 5): [B, D], (6, 7): [F, G, ROOTS[4]],
}  # fmt: skip


def flipped(value: bytes) -> bytes:
    """The same with one bit changed."""
    return bytes([value[0] ^ 16]) + value[1:]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert frontier.root().hex() == root([leaf_hash(each) for each in LEAVES[:size]]).hex() == ROOTS[size]
    assert frontier.size == size


@pytest.mark.parametrize(("of", "proof"), INCLUDED.items())
def test_published_proofs_of_inclusion(of: tuple[int, int], proof: list[str]) -> None:
    number, size = of
    found = inclusion([leaf_hash(each) for each in LEAVES[:size]], number)
    assert [each.hex() for each in found] == proof
    assert included(leaf_hash(LEAVES[number]), number, size, found, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("of", "proof"), CONTINUES.items())
def test_published_proofs_of_consistency(of: tuple[int, int], proof: list[str]) -> None:
    before, size = of
    found = consistency([leaf_hash(each) for each in LEAVES[:size]], before)
    assert [each.hex() for each in found] == proof
    assert continues(before, size, found, bytes.fromhex(ROOTS[before]), bytes.fromhex(ROOTS[size]))


def test_all_trees_of_up_to_seventy_leaves() -> None:
    """Every proof is taken, and none for another leaf, size or root."""
    hashes = [leaf_hash(b"%d" % number) for number in range(70)]
    roots = [root(hashes[:size]) for size in range(71)]
    frontier = Frontier()
    for size in range(1, 71):
        frontier.add(b"%d" % (size - 1))
        assert frontier.root() == roots[size]
        for number in range(size):
            proof = inclusion(hashes[:size], number)
            assert included(hashes[number], number, size, proof, roots[size])
            assert not included(hashes[number], number + 1, size, proof, roots[size])
            assert not included(hashes[number - 1], number, size, proof, roots[size])
            assert not included(hashes[number], number, size, [*proof, roots[size]], roots[size])
            assert not included(hashes[number], number, size, proof, roots[size - 1])
            assert not proof or not included(hashes[number], number, size, proof[:-1], roots[size])
            assert all(
                not included(hashes[number], number, size, [*proof[:at], flipped(each), *proof[at + 1 :]], roots[size])
                for at, each in enumerate(proof)
            )
        for before in range(size + 1):
            proof = consistency(hashes[:size], before)
            assert continues(before, size, proof, roots[before], roots[size])
            assert not continues(before, size, [*proof, roots[before]], roots[before], roots[size])
            if 0 < before < size:
                assert not continues(before, size, proof, flipped(roots[before]), roots[size])
                assert not continues(before, size, proof, roots[before], flipped(roots[size]))
                assert not continues(before, size, proof, roots[size], roots[before])
                assert not continues(before, size, proof[:-1], roots[before], roots[size])
                assert not continues(before, size, [proof[0], *proof], roots[before], roots[size])
                assert all(
                    not continues(
                        before, size, [*proof[:at], flipped(each), *proof[at + 1 :]], roots[before], roots[size]
                    )
                    for at, each in enumerate(proof)
                )


def test_what_never_holds() -> None:
    """As in transparency-dev/merkle: time does not go back, the empty proof proves little, equal sizes are equal."""
    one, other = leaf_hash(b"one"), leaf_hash(b"other")
    assert continues(0, 0, [], one, one)
    assert continues(0, 1, [], one, other)
    assert not continues(0, 0, [], one, other)
    assert not continues(1, 1, [], one, other)
    assert not continues(1, 0, [], one, other)
    assert not continues(2, 1, [], one, other)
    assert not continues(1, 2, [], one, other)
    assert not continues(0, 1, [one], one, one)
    assert not included(one, 0, 0, [], one)
    assert not included(one, 2, 1, [], one)
    assert not included(one, -1, 1, [], one)
    for call, number in ((inclusion, 1), (inclusion, -1), (consistency, 2), (consistency, -1)):
        with pytest.raises(IndexError):
            call([one], number)


def test_a_hundred_thousand_leaves_take_a_second_or_so() -> None:
    """A million leaves are a matter of seconds: no step is over all leaves again."""
    start = time.perf_counter()
    frontier = Frontier()
    frontier.extend(b"%d" % number for number in range(100_000))
    assert frontier.root() == root([leaf_hash(b"%d" % number) for number in range(100_000)])
    assert time.perf_counter() - start < 10
