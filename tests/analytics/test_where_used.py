"""Where-used and explosion against networkx on random bills of materials, and by hand."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.sourcing import StructureError
from analytics.where_used import explode, where_used


def test_quantities_multiply_along_ways_and_add_over_them() -> None:
    parent, child, quantity = np.array([0, 0, 1, 2, 0]), np.array([1, 2, 3, 3, 3]), np.array([2.0, 1, 3, 0.5, 4])
    found = where_used(5, parent, child, quantity, 3)
    assert found.part.tolist() == [1, 2, 0]
    assert found.level.tolist() == [1, 1, 1]
    assert found.longest.tolist() == [1, 1, 2]
    assert found.quantity.tolist() == [3, 0.5, 10.5]
    below = explode(5, parent, child, quantity, 0)
    assert dict(zip(below.part.tolist(), below.quantity.tolist(), strict=True)) == {1: 2, 2: 1, 3: 10.5}
    assert where_used(5, parent, child, quantity, 4).part.tolist() == []


@given(seed=st.integers(0, 10**9))
@settings(max_examples=50, deadline=None)
def test_agrees_with_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    pairs = [(a, b) for b in range(n) for a in range(b) if rng.random() < 0.25]
    if not pairs:
        return
    parent, child = np.array(pairs).T
    quantity = rng.integers(1, 4, len(pairs)).astype(np.float64)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from(zip(parent.tolist(), child.tolist(), quantity.tolist(), strict=True))
    part = int(rng.integers(n))
    found = where_used(n, parent, child, quantity, part)
    assert set(found.part.tolist()) == nx.ancestors(graph, part)
    for above, level, longest, amount in zip(
        found.part.tolist(), found.level.tolist(), found.longest.tolist(), found.quantity.tolist(), strict=True
    ):
        ways = list(nx.all_simple_edge_paths(graph, above, part))
        assert (level, longest) == (min(map(len, ways)), max(map(len, ways)))
        assert amount == sum(np.prod([graph.edges[e]["weight"] for e in way]) for way in ways)


def test_a_cycle_is_refused() -> None:
    with pytest.raises(StructureError) as refused:
        explode(3, np.array([0, 1, 2]), np.array([1, 2, 1]), np.ones(3), 0)
    assert (refused.value.code, refused.value.parts) == ("cycle", (1, 2))


def test_a_depth_of_ten_thousand() -> None:
    n = 10_001
    found = where_used(n, np.arange(n - 1), np.arange(1, n), np.ones(n - 1), n - 1)
    assert found.longest[-1] == n - 1
