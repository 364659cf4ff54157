"""What exists: one declaration per kind of node and edge, units, vocabularies, consistency rules."""

from schema import entities as entities
from schema.core import (
    BASE,
    KINDS,
    Aspect,
    Entity,
    Field,
    Kind,
    Node,
    Personal,
    Vocabulary,
    kind,
    relations_to,
)
from schema.text import Text

__all__ = [
    "BASE",
    "KINDS",
    "Aspect",
    "Entity",
    "Field",
    "Kind",
    "Node",
    "Personal",
    "Text",
    "Vocabulary",
    "kind",
    "relations_to",
]
