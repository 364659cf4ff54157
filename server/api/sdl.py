"""The schema as text, sorted: `python -m server.api.sdl` writes server/schema.graphql, held to the code by a test."""

from __future__ import annotations

from pathlib import Path

from graphql import build_schema, lexicographic_sort_schema, print_schema

from server.api.schema import SCHEMA

FILE = Path(__file__).parent.parent / "schema.graphql"


def sdl() -> str:
    """The schema's text."""
    return print_schema(lexicographic_sort_schema(build_schema(SCHEMA.as_str()))) + "\n"


if __name__ == "__main__":
    FILE.write_text(sdl(), encoding="utf-8")
