"""Requests that ask for too much or are not what they seem, each by a name."""

from __future__ import annotations

import json
from typing import Any


def body(query: str, variables: dict[str, Any] | None = None, **more: Any) -> bytes:
    """The body of a request."""
    return json.dumps({"query": query, "variables": variables or {}, **more}).encode()


def with_variables(query: str, variables: bytes) -> bytes:
    """A body whose variables are written as they are."""
    return b'{"query": ' + json.dumps(query).encode() + b', "variables": ' + variables + b"}"


def spreads(levels: int, times: int) -> str:
    """Fragments each of which spreads the next several times."""
    chain = " ".join(f"fragment f{i} on Part {{ {f'...f{i + 1} ' * times}}}" for i in range(levels))
    return f"{{ parts {{ nodes {{ ...f0 }} }} }} {chain} fragment f{levels} on Part {{ key }}"


def pairs(count: int, inside: str) -> str:
    """Fragments that say the same, all spread in one place."""
    fragments = " ".join(f"fragment f{i} on Part {{ {inside} }}" for i in range(count))
    return f"{{ parts {{ nodes {{ {' '.join(f'...f{i}' for i in range(count))} }} }} }} {fragments}"


def filtered(condition: str) -> str:
    """A list under a filter."""
    return f"{{ parts(filter: {condition}) {{ totalCount }} }}"


IDS = "query($i: [ID!]!) { nodes(ids: $i) { id } }"
FILTER = "query($f: PartFilter) { parts(filter: $f) { totalCount } }"
TEXT = "query($t: String) { parts(filter: {nameZh: {contains: $t}}) { totalCount } }"
PAGE = "query($n: Int) { parts(first: $n) { totalCount } }"
CHAIN = " ".join(f"fragment f{i} on Part {{ supplies {{ nodes {{ part {{ ...f{i + 1} }} }} }} }}" for i in range(60))

REFUSED: dict[str, bytes] = {
    "fragments nested 90 levels": body(spreads(90, 2)),
    "fragments nested 90 levels, eight spreads each": body(spreads(90, 8)),
    "fragments nested 62 levels through lists": body(
        f"{{ parts {{ nodes {{ ...f0 }} }} }} {CHAIN} fragment f60 on Part {{ key }}"
    ),
    "circular fragments": body("{ parts { nodes { ...a } } } fragment a on Part { ...b } fragment b on Part { ...a }"),
    "200 fragments in one place": body(pairs(200, "key")),
    "60 fragments with lists in one place": body(
        pairs(60, "supplies { nodes { key } } consumers: supplies { nodes { key } }")
    ),
    "1,900 times one field": body("{ " + "__typename " * 1900 + "}"),
    "240 times one list": body("{ " + "parts { nodes { key } } " * 240 + "}"),
    "1,000 aliases": body("{ " + " ".join(f"a{i}: __typename" for i in range(1000)) + " }"),
    "600 aliases": body("{ " + " ".join(f"a{i}: __typename" for i in range(600)) + " }"),
    "a million ids": body(IDS, {"i": ["a"] * 1_000_000}),
    "190,000 ids": body(IDS, {"i": ["a"] * 190_000}),
    "1,900 ids in the document": body("{ nodes(ids: [" + '"a",' * 1900 + "]) { id } }"),
    "50 MB of blanks": b" " * 50_000_000,
    "1 MB of blanks": b" " * 999_999,
    "blanks in the document": body(" " * 900_000 + "{ __typename }"),
    "commas in the document": body("," * 900_000 + "{ __typename }"),
    "comments in the document": body("#\n" * 300_000 + "{ __typename }"),
    "a lone surrogate in variables": with_variables("{ __typename }", b'{"t": "\\ud800"}'),
    "a lone surrogate in the document": body('{ parts(filter: {nameZh: {eq: "\ud800"}}) { totalCount } }'),
    "a lone surrogate as an escape of GraphQL": body('{ parts(filter: {nameZh: {eq: "\\ud800"}}) { totalCount } }'),
    "a lone surrogate as the operation's name": body("query A { __typename }", operationName="\udc00"),
    "no UTF-8": b'{"query": "\xff\xfe"}',
    "lists 100,000 deep": b"[" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000,
    "variables 100,000 deep": with_variables("{ __typename }", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "300,000 empty lists": b"[" + b"[]," * 300_000 + b"[]]",
    "an endless text of escapes": b'{"query": "' + b'\\"' * 400_000,
    "an integer of 40,000 digits": body(f"{{ parts(first: {'9' * 40_000}) {{ totalCount }} }}"),
    "a default of 5,000 digits": body(f"query($n: Int = {'9' * 5000}) {{ parts(first: $n) {{ totalCount }} }}"),
    "a variable of 4,000 digits": with_variables(PAGE, b'{"n": ' + b"9" * 4000 + b"}"),
    "a variable of 400,000 digits": with_variables(PAGE, b'{"n": ' + b"9" * 400_000 + b"}"),
    "an infinite number": with_variables(PAGE, b'{"n": 1e999}'),
    "10,000 directives": body("{ __typename " + "@skip(if:false) " * 10_000 + "}"),
    "900 unknown directives": body("{ __typename " + "@x " * 900 + "}"),
    "a text of 900 kB": body(filtered('{nameZh: {contains: "' + "a" * 900_000 + '"}}')),
    "a block text of 500 kB": body(filtered('{nameZh: {contains: """' + "a\n" * 166_000 + '"""}}')),
    "a text of 900 kB in variables": body(TEXT, {"t": "a" * 900_000}),
    "100 texts of 300 letters to look for": body(
        FILTER, {"f": {"or": [{"nameZh": {"contains": f"{i:03}" * 100}} for i in range(100)]}}
    ),
    "two values of one name": b'{"query": "{ x }", "query": "{ __typename }"}',
    "a literal 900 deep": body("{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }"),
    "a literal 150 deep": body("{ nodes(ids: " + "[" * 150 + "]" * 150 + ") { id } }"),
    "a filter 100 deep": body(filtered("{not: " * 100 + '{key: {eq: "a"}}' + "}" * 100)),
    "a filter 300 deep in variables": with_variables(FILTER, b'{"f": ' + b'{"not": ' * 300 + b"{}" + b"}" * 301),
    "a list 400 deep in variables": with_variables(IDS, b'{"i": ' + b"[" * 400 + b"]" * 400 + b"}"),
    "a type 400 deep": body("query($i: " + "[" * 400 + "ID" + "]" * 400 + ") { nodes(ids: $i) { id } }"),
    "selections 900 deep": body("{ a " * 900 + "}" * 900),
    "inline fragments 380 deep": body("{ " + "... on Query { " * 380 + "__typename" + " }" * 381),
    "pages of 100 four deep": body(
        "{ parts(first: 100) { nodes { supplies(first: 100) { nodes { part {"
        " supplies(first: 100) { nodes { key } } } } } } } }"
    ),
    "480 operations": body(" ".join(f"query Q{i} {{ __typename }}" for i in range(480)), operationName="Q1"),
    "70 operations": body(" ".join(f"query Q{i} {{ __typename }}" for i in range(70)), operationName="Q1"),
    "operations without a choice": body("query A { __typename } query B { __typename }"),
    "1,500 unknown fields": body("{ " + " ".join(f"x{i}" for i in range(1500)) + " }"),
    "600 unknown arguments": body("{ parts(" + " ".join(f"x{i}: 1" for i in range(600)) + ") { totalCount } }"),
    "60,000 variables": body("{ __typename }", {f"v{i}": i for i in range(60_000)}),
    "480 unused variables": body("query(" + " ".join(f"$v{i}: Int" for i in range(480)) + ") { __typename }"),
    "30,000 alternatives": body(FILTER, {"f": {"or": [{"key": {"eq": "a"}}] * 30_000}}),
    "1,000 alternatives": body(FILTER, {"f": {"or": [{"key": {"eq": "a"}}] * 1000}}),
    "200 alternatives in the document": body(filtered("{or: [" + '{key: {eq: "a"}} ' * 200 + "]}")),
    "one of 90,000": body(FILTER, {"f": {"key": {"in": ["a"] * 90_000}}}),
    "a null character in the document": body("{ parts\x00 }"),
    "introspection": body("{ __schema { types { fields { type { fields { name } } } } } }"),
    "introspection of one type": body('{ __type(name: "Query") { name } }'),
    "a cursor of 20,000 letters": body(f'{{ parts(after: "{"A" * 20_000}") {{ totalCount }} }}'),
    "a file that is a text": body(
        "mutation($i: UploadLoadInput!) { uploadLoad(input: $i) { report { taken } } }", {"i": {"file": "x"}}
    ),
    "nothing": b"",
    "a list of operations": b'[{"query": "{ __typename }"}]',
}
"""Bodies that are refused."""

HARMLESS: dict[str, bytes] = {
    "a pattern that no engine should run": body(filtered('{nameZh: {contains: "(a+)+$.*"}}')),
    "a null character in a text": body(filtered('{nameZh: {contains: "\\u0000"}}')),
    "a text of 200 letters to look for": body(TEXT, {"t": "ab" * 100}),
    "a text of 4,000 letters": body(
        "query($t: String) { parts(filter: {nameZh: {eq: $t}}) { totalCount } }", {"t": "链" * 4000}
    ),
    "fragments nested 50 levels": body(spreads(50, 2)),
    "one of 1,000": body(FILTER, {"f": {"key": {"in": [f"L01/A{i}" for i in range(1000)]}}}),
    "60 alternatives": body(FILTER, {"f": {"or": [{"key": {"eq": "a"}}] * 60}}),
}
"""Bodies that look like it, and are answered."""
