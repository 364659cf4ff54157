"""The linear audit against brute force: every pair of owners, by ranks."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from analytics.pooling.audit import PRIME, LinearAudit, Vector, generic

Row = list[int]


def rank(rows: list[Row]) -> int:
    """Of rational rows, by elimination."""
    left = [[Fraction(each) for each in row] for row in rows]
    found = 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((r for r in range(found, len(left)) if left[r][column]), None)
        if pivot is None:
            continue
        left[found], left[pivot] = left[pivot], left[found]
        for r in range(found + 1, len(left)):
            factor = left[r][column] / left[found][column]
            left[r] = [a - factor * b for a, b in zip(left[r], left[found], strict=True)]
        found += 1
    return found


def tells(rows: list[Row], owner: list[int]) -> bool:
    """Whether somebody who knows one owner's columns, or none, knows a form in another's."""
    whole = rank(rows)
    pairs = [(i, j) for i in set(owner) for j in set(owner) if i <= j]
    return any(
        rank([[v for v, o in zip(row, owner, strict=True) if o not in pair] for row in rows]) < whole for pair in pairs
    )


def vector(row: Row, owner: list[int]) -> Vector:
    return {(f"O{o}", f"w{c}"): value for c, (value, o) in enumerate(zip(row, owner, strict=True)) if value}


@pytest.mark.parametrize("figures", [1, 2, 3])
def test_decisions_are_those_of_brute_force(figures: int) -> None:
    rng = np.random.default_rng(figures)
    allowed = 0
    for _ in range(25):
        owner = np.repeat(np.arange(rng.integers(3, 7)), figures).tolist()
        audit, given = LinearAudit(), list[Row]()
        for _ in range(8):
            row = rng.integers(0, 2 if rng.random() < 0.7 else 50, len(owner)).tolist()
            if not any(row):
                continue
            expected = not tells([*given, row], owner)
            assert audit.would_allow(vector(row, owner)) is expected
            assert audit.allow(vector(row, owner)) is expected
            if expected:
                given.append(row)
        assert audit.rank == rank(given)
        allowed += len(given)
    assert allowed > 50


def ones(*owners: int) -> Vector:
    return {(f"O{each}", "x"): 1 for each in owners}


def test_differences_of_one_or_two_owners_are_refused_and_of_three_given() -> None:
    audit = LinearAudit()
    assert audit.allow(ones(*range(8)))
    assert not audit.allow(ones(*range(7)))
    assert not audit.allow(ones(*range(6)))  # O7 knows its own, and so O6's
    assert audit.allow(ones(*range(5)))
    assert audit.allow(ones(5, 6, 7))  # follows from the two
    assert audit.rank == 2


def test_answers_given_together_are_judged_together_and_all_or_none_is_noted() -> None:
    audit = LinearAudit()
    assert not audit.allow(ones(*range(8)), ones(*range(7)))
    assert audit.rank == 0
    assert audit.allow(ones(*range(8)), ones(*range(5)))
    assert audit.rank == 2


def test_a_change_of_one_owners_figure_is_that_owners_secret() -> None:
    audit = LinearAudit()
    assert audit.allow(ones(*range(6)))
    assert not audit.allow({**ones(*range(1, 6)), ("O0", "changed"): 1})
    assert audit.allow({**ones(3, 4, 5), **{(f"O{each}", "changed"): 1 for each in range(3)}})


def test_state_is_json_and_goes_on_where_it_was() -> None:
    one, two = LinearAudit(), LinearAudit()
    questions = [ones(*range(9)), ones(*range(6)), {k: generic("a", k[0]) for k in ones(*range(9))}, ones(*range(8))]
    for each in questions:
        two = LinearAudit.of(json.loads(json.dumps(two.state())))
        assert one.allow(each) is two.allow(each)
    assert one.state() == two.state()
    assert LinearAudit.of(None).rank == 0


def test_generic_coefficients_are_residues_other_than_zero_and_of_their_names() -> None:
    found = {generic("cell", str(i)) for i in range(1000)}
    assert len(found) == 1000
    assert all(0 < each < PRIME for each in found)
    assert generic("cell", "1") == generic("cell", "1") != generic("cell1", "")


def test_as_many_generic_answers_as_there_are_owners_less_two() -> None:
    audit = LinearAudit()
    given = [audit.allow({(f"O{o}", "x"): generic(str(q), str(o)) for o in range(7)}) for q in range(7)]
    assert given == [True] * 5 + [False] * 2
