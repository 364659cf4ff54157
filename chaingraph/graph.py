"""The graph for networkx: small neighbourhoods, exchange with notebooks, GraphML."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx
import numpy as np

from chaingraph.view import View
from schema import KINDS, Kind, kind

Graph: TypeAlias = "nx.MultiDiGraph[str]"
"""Nodes are `kind:key`."""

EXCHANGED = tuple(
    name
    for name, each in KINDS.items()
    if each.is_node and name not in ("upload", "raw_row", "life_record", "agreement")
)
"""Kinds that are nodes of the exchanged graph; life records and uploads are too many to draw."""


def to_networkx(view: View, kinds: tuple[str, ...] = EXCHANGED) -> Graph:
    """The whole visible graph: nodes `kind:key` with their fields, edges of relation kinds with theirs, and references.

    For graphs that a notebook can hold: 10 million edges cost networkx some 80 s and 4 GB.
    """
    graph: Graph = nx.MultiDiGraph()
    for name in kinds:
        for row in view.table(name).iter_rows(named=True):
            graph.add_node(f"{name}:{row['key']}", kind=name, **_attributes(kind(name), row))
    for each in KINDS.values():
        if each.relation and each.refs.get(each.relation.start) in kinds and each.refs.get(each.relation.end) in kinds:
            _add_edges(graph, view, each, np.arange(view.count(each.name), dtype=np.int32))
    for name in kinds:
        for field, target in kind(name).refs.items():
            if target in kinds:
                _add_references(graph, view, name, field, target)
    return graph


def neighbourhood(view: View, name: str, at: int, *, depth: int = 1, limit: int = 200) -> Graph:
    """What lies within `depth` relations of the thing in row `at` of kind `name`, nearest first, at most `limit`
    things.

    The graph's attribute `cut` is true when there was more.
    """
    graph: Graph = nx.MultiDiGraph(cut=False)
    seen: dict[tuple[str, int], int] = {(name, at): 0}
    frontier = [(name, at)]
    _add_thing(graph, view, name, at)
    for level in range(1, depth + 1):
        reached: list[tuple[str, int]] = []
        for of, row in frontier:
            for each in KINDS.values():
                if each.relation is None:
                    continue
                for here, there in ((each.relation.start, each.relation.end), (each.relation.end, each.relation.start)):
                    if each.refs.get(here) != of:
                        continue
                    rows, _ = view.inverse(each.name, here).take(np.array([row], np.int32))
                    target, ends = each.refs[there], view.ref(each.name, there)[rows]
                    for edge, end in zip(rows.tolist(), ends.tolist(), strict=True):
                        if end < 0:
                            continue
                        if (target, end) not in seen:
                            if len(seen) >= limit:
                                graph.graph["cut"] = True
                                continue
                            seen[target, end] = level
                            reached.append((target, end))
                            _add_thing(graph, view, target, end)
                        _add_edges(graph, view, each, np.array([edge], np.int32))
        frontier = reached
    return graph


def write_graphml(view: View, file: Path) -> None:
    """The visible graph as GraphML, for Gephi, yEd and the like."""
    nx.write_graphml(to_networkx(view), file)


def _add_thing(graph: Graph, view: View, name: str, at: int) -> None:
    row = view.table(name).row(at, named=True)
    graph.add_node(f"{name}:{row['key']}", kind=name, **_attributes(kind(name), row))


def _add_edges(graph: Graph, view: View, each: Kind, rows: np.ndarray[Any, np.dtype[np.int32]]) -> None:
    assert each.relation is not None
    start, end = each.relation.start, each.relation.end
    for row in view.table(each.name)[rows].iter_rows(named=True):
        attributes = {k: v for k, v in _attributes(each, row).items() if k not in (start, end)}
        ends = f"{each.refs[start]}:{row[start]}", f"{each.refs[end]}:{row[end]}"
        if row[start] is not None and row[end] is not None:
            graph.add_edge(*ends, key=f"{each.name}:{row['key']}", label=each.relation.label, **attributes)


def _add_references(graph: Graph, view: View, name: str, field: str, target: str) -> None:
    for key, to in view.table(name).select("key", field).drop_nulls().iter_rows():
        graph.add_edge(f"{name}:{key}", f"{target}:{to}", key=f"{name}.{field}", label=field.upper())


def _attributes(of: Kind, row: dict[str, Any]) -> dict[str, Any]:
    """Declared fields that are known, in types that GraphML can hold."""
    known = {n: row[n] for n in of.fields if row.get(n) is not None}
    return {n: v.isoformat() if isinstance(v, dt.date) else v for n, v in known.items()}
