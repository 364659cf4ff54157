"""XML of Asset Administration Shells and of packages, read safely: no document types, no entities."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from ..limits import Unreadable

_DEEPEST = 200
_LISTS = frozenset(
    {
        "assetAdministrationShells", "submodels", "conceptDescriptions", "submodelElements", "statements",
        "annotations", "keys", "specificAssetIds", "supplementalSemanticIds", "displayName", "description",
        "embeddedDataSpecifications", "qualifiers", "extensions", "definition", "preferredName",
    }
)  # fmt: skip
_REFERENCE = frozenset({"type", "keys", "referredSemanticId"})


class Node:
    """An element: its name without the namespace, its attributes, the elements within and its text."""

    __slots__ = ("attributes", "inside", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.inside: list[Node] = []
        self.text = ""


def parse(content: bytes) -> Node:
    """The outermost element. Raises Unreadable `file.damaged` for no XML, for a document type, or too deep."""
    parser = expat.ParserCreate(namespace_separator=" ")
    root = Node("", {})
    stack = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise Unreadable("file.damaged", reason=f"XML > {_DEEPEST}")
        node = Node(_plain(name), {_plain(each): value for each, value in attributes.items()})
        stack[-1].inside.append(node)
        stack.append(node)

    def end(_: str) -> None:
        stack.pop()

    def said(text: str) -> None:
        stack[-1].text += text

    def document_type(*_: object) -> None:
        raise Unreadable("file.damaged", reason="DOCTYPE")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = said
    parser.StartDoctypeDeclHandler = document_type
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        raise Unreadable("file.damaged", reason=f"XML: {error}") from error
    return root.inside[0]


def _plain(name: str) -> str:
    return name.rpartition(" ")[2]


def as_json(node: Node) -> Any:
    """An element of an environment as the JSON serialisation has it; `modelType` is said where it is one of a list."""
    if not node.inside:
        return [] if node.tag in _LISTS else node.text.strip()
    tags = {each.tag for each in node.inside}
    if node.tag in _LISTS or (node.tag == "value" and not tags <= _REFERENCE):
        return [_of_list(each) for each in node.inside]
    return {each.tag: as_json(each) for each in node.inside}


def _of_list(node: Node) -> Any:
    value = as_json(node)
    return {**value, "modelType": node.tag[:1].upper() + node.tag[1:]} if isinstance(value, dict) else value
