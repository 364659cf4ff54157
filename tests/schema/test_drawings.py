"""What is drawn above a declaration is what the registry says, and what a graph database shows."""

from __future__ import annotations

import re

from schema import KINDS
from schema.dictionary import drawings

_STEP = re.compile(r"\(:(\w+)\)(<?)-\[:(\w+)[^\]]*\]-(>?)(?=\(:(\w+)\))")


def drawn(text: str) -> set[tuple[str, str, str]]:
    """(start, type, end) of every arrow of a drawing."""
    return {(a, label, b) if right else (b, label, a) for a, _, label, right, b in _STEP.findall(text)}


def test_the_drawings_are_those_of_the_declarations() -> None:
    for kind in KINDS.values():
        expected = set()
        if kind.relation:
            ends = [KINDS[kind.refs[f]].label for f in (kind.relation.start, kind.relation.end)]
            expected.add((ends[0], kind.relation.label, ends[1]))
        for field, (label, outward) in kind.drawn.items():
            there = KINDS[kind.refs[field]].label
            expected.add((kind.label, label, there) if outward else (there, label, kind.label))
        assert set().union(*map(drawn, drawings(kind))) == expected, kind.name
