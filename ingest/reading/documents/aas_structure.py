"""Hierarchical structures enabling bills of material (IDTA 02011): entities within entities, and what is in what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import Document, Value
from .aas_assets import Assets, information_of
from .aas_tree import DEEPEST, Element, find, first, fold, inside, keys, languages, model_type, named, ours, walk

Path = tuple[str, ...]


def write_structure(found: Document, assets: Assets, place: str, submodel: Element, about: Sequence[int]) -> None:
    """The lines of a bill of materials, and the parts that are only named in it.

    An entity within another is a part of it; where the archetype is OneUp it is the other way round. HasPart and
    IsPartOf say so themselves, and SameAs says that two entities are one thing.
    """
    entries = [each for each in inside(submodel) if model_type(each) == "Entity"]
    upward = fold(first(submodel, "ArcheType") or "") == "oneup"
    for entry in entries:
        _entry(found, assets, place, entry, about, upward=upward)
    if not entries:
        found.note("document.missing", place, what="EntryNode")


def _entry(found: Document, assets: Assets, place: str, entry: Element, about: Sequence[int], *, upward: bool) -> None:
    nodes: dict[Path, Element] = {}
    for path, entity, _ in walk(entry):
        if entity is None:
            found.note("document.too_deep", place, limit=DEEPEST)
        else:
            nodes.setdefault(path, entity)
    said, same = _relations(nodes)
    asset_of: dict[Path, int] = {}
    for path, entity in nodes.items():
        asset_of[path] = _asset(assets, f"{place}/{'/'.join(path)}", entity, about if len(path) == 1 else ())
    for one, other in same:
        if not information_of(nodes[one]) and other in asset_of:
            asset_of[one] = asset_of[other]
    nested = [(path[:-1], path) for path in nodes if len(path) > 1]
    implied = [(child, parent) if upward else (parent, child) for parent, child in nested]
    known = {frozenset(pair) for pair in said}
    pairs = [*said, *(pair for pair in implied if frozenset(pair) not in known)]
    for parent, child in dict.fromkeys(pairs):
        line = nodes[parent if upward else child]
        _line(found, place, assets[asset_of[parent]].reference, assets[asset_of[child]].reference, line)


def _asset(assets: Assets, place: str, entity: Element, about: Sequence[int]) -> int:
    """The asset that an entity is; the entry is the shell's own where it says no other."""
    information = information_of(entity)
    if not information and about:
        return about[0]
    at = assets.add(information, place, named(entity))
    asset = assets[at]
    for language, text in languages(entity.get("displayName")).items():
        asset.texts.setdefault(language, text)
        asset.described = True
    return at


def _relations(nodes: Mapping[Path, Element]) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    """Pairs of whole and part, and pairs of the same thing, by the relationships in the entities."""
    parts: list[tuple[Path, Path]] = []
    same: list[tuple[Path, Path]] = []
    for entity in nodes.values():
        for name in ("HasPart", "IsPartOf", "SameAs"):
            for each in find(entity, name):
                one, other = (_path(nodes, each.get(end)) for end in ("first", "second"))
                if one is None or other is None or one == other:
                    continue
                if name == "SameAs":
                    same.append((one, other))
                else:
                    parts.append((one, other) if name == "HasPart" else (other, one))
    return parts, same


def _path(nodes: Mapping[Path, Element], reference: object) -> Path | None:
    """The entity that a reference means; its first key is the submodel's id."""
    path = tuple(keys(reference)[1:])
    return path if path in nodes else None


def _line(found: Document, place: str, parent: str | None, child: str | None, node: Element) -> None:
    if parent is None or child is None:
        found.note("document.missing", place, what="globalAssetId, idShort")
        return
    values: dict[str, Value] = {"parent": parent, "child": child, "quantity": first(node, "BulkCount") or "1"}
    values.update(ours(node, "contains"))
    found.add("contains", **values)
