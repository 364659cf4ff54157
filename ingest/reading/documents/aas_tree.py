"""Elements of an Asset Administration Shell (metamodel V3, as JSON): found by name or meaning, read as text."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import Value, child, objects, text

Element = Mapping[str, Any]
DEEPEST = 64
"""Levels of nesting that are read."""
OURS = "urn:chaingraph:"
"""What the meanings begin with that no standard has: `urn:chaingraph:contains:find_no` is a field of a kind."""
_FIELD = re.compile(r"[a-z][a-z_]{0,31}")
_NOISE = re.compile(r"[\W_]+")


@functools.lru_cache(maxsize=10_000)
def fold(name: str) -> str:
    """A name without case and punctuation; counters that templates put behind names (`Milestone__00__`) go, too."""
    return _NOISE.sub("", re.sub(r"_*\d*_*$", "", name)).casefold()


def named(element: Element) -> str:
    """The element's idShort; empty where it has none."""
    return text(element.get("idShort")) or ""


def keys(reference: object) -> list[str]:
    """What a reference's keys say, from the outermost to the innermost."""
    return [value for each in objects(child(reference, "keys")) if (value := text(each.get("value")))]


def meaning(element: Element) -> str:
    """What the semantic id says; empty where there is none."""
    found = keys(element.get("semanticId"))
    return found[-1] if found else ""


def model_type(element: Element) -> str:
    """The element's type; version 2 of the metamodel has it one level deeper."""
    said = element.get("modelType")
    return text(child(said, "name") if isinstance(said, dict) else said) or ""


def inside(element: Element) -> list[dict[str, Any]]:
    """The elements within a submodel, a collection, a list or an entity."""
    for name in ("submodelElements", "statements", "value"):
        if found := objects(element.get(name)):
            return found
    return []


def find(element: Element, *names: str) -> list[dict[str, Any]]:
    """The elements directly within that are called so (or whose meaning ends so), in their order."""
    wanted = {fold(name) for name in names}
    return [
        each
        for each in inside(element)
        if fold(named(each)) in wanted or (meaning(each) and _last(meaning(each)) in wanted)
    ]


@functools.lru_cache(maxsize=10_000)
def _last(said: str) -> str:
    """What a meaning calls the element: the last piece of an address that is no version; all of another identifier,
    without its version.
    """
    pieces = [piece for piece in said.split("/") if piece and not piece.isdigit()]
    return fold(pieces[-1] if said.startswith("http") and pieces else said)


def first(element: Element, *names: str) -> str | None:
    """The text of the first element within that is called so and says something."""
    return next((said for each in find(element, *names) if (said := said_by(each))), None)


def said_by(element: Element) -> str | None:
    """What a property says; of one in several languages the Chinese text, else the English one, else the first."""
    value = element.get("value")
    if not isinstance(value, list):
        return text(value) if not isinstance(value, bool) else str(value).lower()
    said = languages(value)
    return next((said[each] for each in ("zh", "en") if each in said), next(iter(said.values()), None))


def languages(value: object) -> dict[str, str]:
    """Texts by language, without its region (`zh-CN` is `zh`); the first of each."""
    found: dict[str, str] = {}
    for each in objects(value):
        said, language = text(each.get("text")), text(each.get("language")) or ""
        if said:
            found.setdefault(language.lower().split("-")[0], said)
    return found


def ours(element: Element, kind: str) -> dict[str, Value]:
    """Fields of a kind that properties within name by our own meanings."""
    found: dict[str, Value] = {}
    for each in inside(element):
        if (field := our_field(each, kind)) and (said := said_by(each)) is not None:
            found.setdefault(field, said)
    return found


def our_field(element: Element, kind: str) -> str | None:
    """The field of a kind that an element's meaning names; None for an element of another meaning."""
    start = f"{OURS}{kind}:"
    said = meaning(element)
    field = said.removeprefix(start) if said.startswith(start) else ""
    return field if _FIELD.fullmatch(field) else None


def walk(element: Element, depth: int = 0) -> Iterator[tuple[tuple[str, ...], Element | None, int]]:
    """Entities within entities: the names from the outermost on, the entity (None below the deepest level), depth."""
    stack: list[tuple[tuple[str, ...], Element, int]] = [((named(element),), element, depth)]
    while stack:
        path, at, level = stack.pop()
        yield path, at if level <= DEEPEST else None, level
        if level <= DEEPEST:
            below = [each for each in inside(at) if model_type(each) == "Entity"]
            stack += [((*path, named(each)), each, level + 1) for each in reversed(below)]
