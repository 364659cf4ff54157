"""Cypher for Neo4j, compiled from the registry as plain text: constraints, what changes rows, what finds them.

A kind of thing or record is a label, a kind of edge a relationship type, as drawn above its declaration. Where
several owners may state one thing that others refer to (a lot, a mode), the thing is a node by its natural key, every
owner's row a node that STATES it. What is referred to and not there is a node all the same, with the label Missing.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from chaingraph.store.base import DIRECTIONS, Direction
from schema import KINDS, relations_to
from schema.core import Kind, Relation

MISSING = "Missing"
"""Label of what was referred to and is not there."""

UNDRAW = " DELETE old"
"""How a statement of `put` ends that takes away what was drawn of a row before."""

JOURNAL = (
    "CREATE CONSTRAINT journal_head IF NOT EXISTS FOR (h:JournalHead) REQUIRE h.one IS UNIQUE",
    "CREATE CONSTRAINT journal_revision IF NOT EXISTS FOR (c:JournalCommit) REQUIRE c.revision IS UNIQUE",
    "CREATE CONSTRAINT journal_id IF NOT EXISTS FOR (c:JournalCommit) REQUIRE c.id IS UNIQUE",
    "CREATE INDEX journal_payload IF NOT EXISTS FOR (p:JournalPayload) ON (p.revision)",
    "CREATE CONSTRAINT journal_redaction IF NOT EXISTS FOR (r:JournalRedaction) REQUIRE r.number IS UNIQUE",
    "CREATE INDEX redaction_revision IF NOT EXISTS FOR (r:JournalRedaction) ON (r.revision)",
    "CREATE INDEX redaction_erasure IF NOT EXISTS FOR (r:JournalRedaction) ON (r.erasure)",
    "CREATE CONSTRAINT write_lock IF NOT EXISTS FOR (l:WriteLock) REQUIRE l.one IS UNIQUE",
    "CREATE CONSTRAINT log_name IF NOT EXISTS FOR (l:Log) REQUIRE l.name IS UNIQUE",
    "CREATE INDEX log_leaf IF NOT EXISTS FOR (l:LogLeaf) ON (l.log, l.number)",
    "CREATE CONSTRAINT blob_name IF NOT EXISTS FOR (b:StoredBlob) REQUIRE b.name IS UNIQUE",
    "CREATE INDEX blob_piece IF NOT EXISTS FOR (p:StoredBlobPiece) ON (p.name, p.number)",
    "CREATE CONSTRAINT secret_name IF NOT EXISTS FOR (s:StoredSecret) REQUIRE s.name IS UNIQUE",
)
"""What every store has whatever the kinds are."""


def stated(kind: Kind) -> bool:
    """Whether rows are statements of several owners about one thing that others refer to."""
    return kind.is_node and kind.by_owner and any(True for _ in relations_to(kind.name))


def row_label(kind: Kind) -> str:
    """Label of the nodes that hold the rows of a kind of node."""
    return f"{kind.label}Statement" if stated(kind) else kind.label


def relation(kind: Kind) -> Relation:
    """How an edge kind is drawn. Raises ValueError for another kind."""
    if kind.relation is None:
        raise ValueError(f"{kind.name} is not a relation")
    return kind.relation


def _target(kind: Kind, field: str) -> str:
    """Label of the things that a field refers to."""
    return KINDS[kind.refs[field]].label


def _cell(kind: Kind, column: str) -> str:
    """A column of a row that is handed over as a list."""
    return f"row[{list(kind.schema).index(column)}]"


def _natural(kind: Kind) -> str:
    """The natural key, which follows the columns of a row of a stated kind."""
    return f"row[{len(kind.schema)}]" if stated(kind) else _cell(kind, "key")


def _map(kind: Kind, *more: str) -> str:
    return "{" + ", ".join([*(f"{c}: {_cell(kind, c)}" for c in kind.schema), *more]) + "}"


def _codes(kind: Kind) -> list[str]:
    """The fields that a thing is called by where it has no name: those of its key that are no references."""
    return [c for c in kind.key if c not in kind.refs] or [kind.key[0]]


def _names(kind: Kind) -> list[str]:
    return [c for c in ("name_zh", "name_en") if c in kind.fields]


def _caption(kind: Kind) -> str:
    """What a tool writes on a node: its code and its name, whichever there are."""
    codes = [f"toString({_cell(kind, c)})" for c in _codes(kind)]
    names = ", ".join(_cell(kind, c) for c in _names(kind))
    words = [*(f"coalesce({code}, '')" for code in codes), *([f"coalesce({names}, '')"] if names else [])]
    joined = " + ' ' + ".join(words)
    return codes[0] if len(words) == 1 else f"trim({joined})"


def _called(kind: Kind) -> str:
    """Give a thing `t` that several owners describe the caption of the first of them, by key, who names it: whatever
    came last, and whoever took back what he said.
    """
    named = " OR ".join(f"s.{c} IS NOT NULL" for c in _names(kind))
    said = f"MATCH (t)<-[:STATES]-(s:{row_label(kind)}) WHERE {named} RETURN s.name ORDER BY s.key"
    return f"SET t.name = coalesce(head(COLLECT {{ {said} }}), toString(t.{_codes(kind)[0]}))"


def _merged(variable: str, label: str, key: str) -> str:
    """The thing with a natural key, as a placeholder where there is none."""
    return f"MERGE ({variable}:{label} {{key: {key}}}) ON CREATE SET {variable}:{MISSING}, {variable}.name = {key}"


def _there(variable: str, label: str, key: str) -> str:
    """The node with a key, if it is there: by its index whatever the statistics say, which trail large commits."""
    return f"MATCH ({variable}:{label} {{key: {key}}}) USING INDEX SEEK {variable}:{label}(key)"


def _edge(variable: str, label: str, ends: tuple[str, str] = ("", "")) -> str:
    """The relationship with the key `key`, if it is there: by its index, as for `_there`."""
    pattern = f"({ends[0]})-[{variable}:{label} {{key: key}}]->({ends[1]})"
    return f"MATCH {pattern} USING INDEX SEEK {variable}:{label}(key)"


def _arrow(inner: str, *, outward: bool) -> str:
    return f"-[{inner}]->" if outward else f"<-[{inner}]-"


def constraints(kind: Kind, *, enterprise: bool = False) -> list[str]:
    """Keys are unique; on Enterprise they must be there as well. An index for each field that is declared indexed."""
    unique = "IS NODE KEY" if enterprise else "IS UNIQUE"
    if kind.relation:
        unique = "IS RELATIONSHIP KEY" if enterprise else "IS UNIQUE"
        pattern = f"()-[x:{kind.relation.label}]-()"
        found = [f"CREATE CONSTRAINT {kind.name}_key IF NOT EXISTS FOR {pattern} REQUIRE x.key {unique}"]
        return found + [
            f"CREATE INDEX {kind.name}_{n} IF NOT EXISTS FOR {pattern} ON (x.{n})"
            for n, f in kind.fields.items()
            if f.meta.indexed and n not in {kind.relation.start, kind.relation.end}
        ]
    labels = [kind.label] if not stated(kind) else [kind.label, row_label(kind)]
    found = [f"CREATE CONSTRAINT {label}_key IF NOT EXISTS FOR (x:{label}) REQUIRE x.key {unique}" for label in labels]
    return found + [
        f"CREATE INDEX {kind.name}_{n} IF NOT EXISTS FOR (x:{kind.label if n in kind.key else labels[-1]}) ON (x.{n})"
        for n, f in kind.fields.items()
        if f.meta.indexed
    ]


def schema(*, enterprise: bool = False) -> list[str]:
    """Everything that makes an empty store, each a statement of its own."""
    return [*JOURNAL, *(s for kind in KINDS.values() for s in constraints(kind, enterprise=enterprise))]


def put(kind: Kind) -> list[str]:
    """Rows ($rows: lists of the kind's columns, then the natural key for a stated kind) in place of those with their
    keys: statements to be run one after another.
    """
    if kind.relation:
        return list(_put_edges(kind, kind.relation))
    if stated(kind) and _names(kind):
        here = f"UNWIND $rows AS row {_there('t', kind.label, _natural(kind))}"
        return [_put_nodes(kind), f"{here} WITH DISTINCT t {_called(kind)}", *_draw(kind)]
    return [_put_nodes(kind), *_draw(kind)]


def _put_edges(kind: Kind, drawn: Relation) -> Iterator[str]:
    start, end = _cell(kind, drawn.start), _cell(kind, drawn.end)
    if not {drawn.start, drawn.end} <= set(kind.key):
        yield (
            f"UNWIND $rows AS row WITH row, row[0] AS key {_edge('r', drawn.label, ('a', 'b'))} "
            f"WHERE a.key <> {start} OR b.key <> {end} DELETE r"
        )
    yield (
        f"UNWIND $rows AS row {_merged('a', _target(kind, drawn.start), start)} "
        f"{_merged('b', _target(kind, drawn.end), end)} "
        f"MERGE (a)-[r:{drawn.label} {{key: row[0]}}]->(b) SET r = {_map(kind)}"
    )


def _put_nodes(kind: Kind) -> str:
    caption = f"name: {_caption(kind)}"
    if not stated(kind):
        return (
            f"UNWIND $rows AS row MERGE (n:{kind.label} {{key: row[0]}}) SET n = {_map(kind, caption)} "
            f"REMOVE n:{MISSING}"
        )
    own = ", ".join([f"key: {_natural(kind)}", *(f"{c}: {_cell(kind, c)}" for c in kind.key), caption])
    return (
        f"UNWIND $rows AS row MERGE (t:{kind.label} {{key: {_natural(kind)}}}) SET t = {{{own}}} REMOVE t:{MISSING} "
        f"MERGE (n:{row_label(kind)} {{key: row[0]}}) SET n = {_map(kind, caption)} MERGE (n)-[:STATES]->(t)"
    )


def _draw(kind: Kind) -> Iterator[str]:
    """The references of nodes as relationships.

    Of a stated kind they start at the thing: once for a field of its key, else once for each owner's row.
    """
    node = _there("n", kind.label, _natural(kind))
    for field, (label, outward) in kind.drawn.items():
        of_key = stated(kind) and field in kind.key
        extra = " {statement: row[0]}" if stated(kind) and not of_key else ""
        if not of_key and field not in kind.key:
            yield f"UNWIND $rows AS row {node} MATCH (n){_arrow(f'old:{label}{extra}', outward=outward)}(){UNDRAW}"
        yield (
            f"UNWIND $rows AS row WITH row WHERE {_cell(kind, field)} IS NOT NULL {node} "
            f"{_merged('t', _target(kind, field), _cell(kind, field))} "
            f"MERGE (n){_arrow(f'r:{label}{extra}', outward=outward)}(t)"
            + (f" SET r.owner = {_cell(kind, 'owner')}" if extra else "")
        )


def delete(kind: Kind) -> list[str]:
    """The rows with stored keys ($keys) go; their nodes stay until SWEEP as placeholders: others may refer to them."""
    if kind.relation:
        return [f"UNWIND $keys AS key {_edge('r', kind.relation.label)} DELETE r"]
    if not stated(kind):
        here = f"UNWIND $keys AS key {_there('n', kind.label, 'key')}"
        drawn = [
            f"{here} MATCH (n){_arrow(f'old:{label}', outward=outward)}() DELETE old"
            for label, outward in kind.drawn.values()
        ]
        return [
            *drawn,
            f"{here} SET n = {{key: key, name: key}} SET n:{MISSING}",
        ]
    states = f"UNWIND $keys AS key {_there('n', row_label(kind), 'key')} MATCH (n)-[:STATES]->(t:{kind.label})"
    found = [
        f"{states} MATCH (t){_arrow(f'old:{label} {{statement: key}}', outward=outward)}() DELETE old"
        for field, (label, outward) in kind.drawn.items()
        if field not in kind.key
    ]
    called = f" {_called(kind)} WITH t" if _names(kind) else ""
    last = (
        f"{states} DETACH DELETE n WITH DISTINCT t{called} WHERE count {{ (t)<-[:STATES]-() }} = 0 "
        f"SET t = {{key: t.key, name: t.key}} SET t:{MISSING}"
    )
    for field, (label, outward) in kind.drawn.items():
        if field in kind.key:
            last += f" WITH DISTINCT t OPTIONAL MATCH (t){_arrow(f'old:{label}', outward=outward)}() DELETE old"
    return [*found, last]


SWEEP = f"MATCH (n:{MISSING}) WHERE NOT EXISTS {{ (n)--() }} DELETE n"
"""Placeholders that nothing refers to any more go."""


def scan(kind: Kind) -> str:
    """$batch rows after a key ($after), in key order, as one list of lists."""
    if kind.relation:
        return (
            f"MATCH ()-[n:{kind.relation.label}]->() WHERE n.key > $after WITH n ORDER BY n.key LIMIT $batch "
            f"RETURN collect({_columns(kind)}) AS rows"
        )
    return (
        f"MATCH (n:{row_label(kind)}) WHERE n.key > $after AND NOT n:{MISSING} WITH n ORDER BY n.key LIMIT $batch "
        f"RETURN collect({_columns(kind)}) AS rows"
    )


def rows(kind: Kind) -> str:
    """The rows with stored keys ($keys), as one list of lists."""
    if kind.relation:
        return f"UNWIND $keys AS key {_edge('n', kind.relation.label)} RETURN collect({_columns(kind)}) AS rows"
    return (
        f"UNWIND $keys AS key {_there('n', row_label(kind), 'key')} WHERE NOT n:{MISSING} "
        f"RETURN collect({_columns(kind)}) AS rows"
    )


def _columns(kind: Kind) -> str:
    """The columns of a row: days as text, moments as microseconds."""
    found = []
    for name, dtype in kind.schema.items():
        value = f"n.{name}"
        if dtype == pl.Date:
            value = f"toString({value})"
        elif isinstance(dtype, pl.Datetime):
            value = f"{value}.epochSeconds * 1000000 + {value}.microsecond"
        found.append(value)
    return f"[{', '.join(found)}]"


def still_there(kind: Kind) -> str:
    """Of natural keys ($keys) those that some row of the kind has yet: another owner's, or one put back at once."""
    return f"UNWIND $keys AS key {_there('n', kind.label, 'key')} WHERE NOT n:{MISSING} RETURN collect(n.key) AS keys"


def referrers(kind: Kind) -> list[tuple[str, str]]:
    """(kind, statement) pairs: the statement gives stored keys of rows of that kind that refer to natural keys ($keys).

    By the relationship where one is drawn, else by looking at every row.
    """
    found = []
    for other, field in relations_to(kind.name):
        here = f"UNWIND $keys AS key {_there('t', kind.label, 'key')} MATCH (t)"
        if other.relation and field in {other.relation.start, other.relation.end}:
            way = _arrow(f"r:{other.relation.label}", outward=field == other.relation.start)
            text = f"{here}{way}() RETURN collect(DISTINCT r.key) AS keys"
        elif other.relation:
            text = f"MATCH ()-[r:{other.relation.label}]->() WHERE r.{field} IN $keys RETURN collect(r.key) AS keys"
        elif field in other.drawn and not stated(other):
            label, outward = other.drawn[field]
            way = _arrow(f":{label}", outward=not outward)
            text = f"{here}{way}(n:{other.label}) RETURN collect(DISTINCT n.key) AS keys"
        else:
            text = f"MATCH (n:{row_label(other)}) WHERE n.{field} IN $keys RETURN collect(n.key) AS keys"
        found.append((other.name, text))
    return found


def walk(kind: Kind, direction: Direction, depth: int | None = None) -> str:
    """From natural keys ($start) along an edge kind: every key reached and at what depth first. Cycles end."""
    drawn = relation(kind)
    here = _target(kind, drawn.start if direction == "out" else drawn.end)
    most = "" if depth is None else str(depth)
    way = _arrow(f":{drawn.label}*0..{most}", outward=direction == "out")
    return (
        f"UNWIND $start AS key {_there('s', here, 'key')} MATCH p = (s){way}(e) "
        "WITH e, min(length(p)) AS depth RETURN collect([e.key, depth]) AS rows"
    )


def step(kind: Kind, direction: Direction) -> str:
    """One hop from natural keys ($keys): the stored keys of the edges, and what they lead from and to."""
    drawn = relation(kind)
    here = _target(kind, drawn.start if direction == "out" else drawn.end)
    way = _arrow(f"r:{drawn.label}", outward=direction == "out")
    return (
        f"UNWIND $keys AS key {_there('s', here, 'key')} MATCH (s){way}(e) RETURN collect([r.key, key, e.key]) AS rows"
    )


def golden() -> str:
    """Every statement, as compared with the golden file."""
    parts = ["\n".join(f"{s};" for s in schema()), f"// sweep\n{SWEEP};"]
    for kind in KINDS.values():
        lines = [f"// {kind.name}", *put(kind), *delete(kind), scan(kind), rows(kind)]
        lines += [still_there(kind), *(text for _, text in referrers(kind))] if kind.is_node else []
        if kind.relation:
            lines += [s for direction in DIRECTIONS for s in (walk(kind, direction), step(kind, direction))]
        parts.append("\n".join([lines[0], *(f"{line};" for line in lines[1:])]))
    return "\n\n".join(parts) + "\n"
