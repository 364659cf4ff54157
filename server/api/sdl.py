"""The schema as text, sorted: `python -m server.api.sdl` writes server/schema.graphql, held to the code by a test.

With the directives of its fields, which graphql-core's own printing of a schema leaves out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import Node, parse, print_ast

from server.api.schema import SCHEMA

FILE = Path(__file__).parent.parent / "schema.graphql"


def sdl() -> str:
    """The schema's text."""
    document = parse(SCHEMA.as_str())
    return print_ast(_sorted(document)) + "\n"


def _sorted(node: Any) -> Any:
    """The node with everything in it that has a name sorted by that: definitions, fields, arguments, values."""
    if isinstance(node, tuple):
        return tuple(sorted(map(_sorted, node), key=lambda each: each.name.value if hasattr(each, "name") else ""))
    if not isinstance(node, Node):
        return node
    inside = {key: getattr(node, key) for key in node.keys}
    return replace(node, **{key: _sorted(value) for key, value in inside.items() if isinstance(value, tuple)})


if __name__ == "__main__":
    FILE.write_text(sdl(), encoding="utf-8")
