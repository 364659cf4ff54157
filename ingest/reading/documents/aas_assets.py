"""Which part an asset of an Asset Administration Shell is: from its identifiers and its nameplate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import Document, Value, child, objects, text
from .aas_tree import fold, keys, languages, named

_NUMBER = ("manufacturerpartid", "manufacturerpartnumber", "partnumber", "articlenumber", "materialnumber", "partid")
_MAKER = ("manufacturerid", "manufacturername", "manufacturer")
_CUSTOMERS = ("customerpartid", "customerpartnumber")
_DRAWING = ("drawingnumber", "drawingno")
_SERIAL = ("serialnumber", "partinstanceid", "serialpartid")
_BATCH = ("batchid", "batchnumber", "lotid")


@dataclass
class Asset:
    """What is known of an asset; `texts` are names by language, `aliases` are customer, number and drawing."""

    place: str
    issuer: str | None = None
    number: str | None = None
    fallback: str | None = None
    global_id: str | None = None
    instance: bool = False
    serial: str | None = None
    batch: str | None = None
    made_on: str | None = None
    version: str | None = None
    described: bool = False
    """False for what is only mentioned, by its number."""
    texts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Value] = field(default_factory=dict)
    aliases: list[tuple[str | None, str | None, str | None]] = field(default_factory=list)

    @property
    def reference(self) -> str | None:
        """How rows refer to the part."""
        number = self.number or self.fallback
        return f"{self.issuer}/{number}" if self.issuer and number else number


class Assets:
    """The assets of a document, by their global ids."""

    def __init__(self, found: Document) -> None:
        self._found = found
        self._all: list[Asset] = []
        self._known: dict[str, int] = {}

    def __getitem__(self, at: int) -> Asset:
        """The asset of that number."""
        return self._all[at]

    def add_shell(self, shell: Mapping[str, Any], place: str) -> int:
        """Note a shell's asset; its number."""
        information = shell.get("assetInformation")
        information = information if isinstance(information, dict) else {}
        at = self.add(information, place, named(shell) or text(shell.get("id")))
        asset = self[at]
        asset.described = True
        asset.instance = asset.instance or text(information.get("assetKind")) == "Instance"
        for language, said in languages(shell.get("displayName")).items():
            asset.texts.setdefault(language, said)
        return at

    def add(self, information: Mapping[str, Any], place: str, name: str | None) -> int:
        """Note the asset that asset information (or an entity) names; its number.

        It is one noted before where the global id is the same. `name` is its number where no identifier is one.
        """
        global_id = text(information.get("globalAssetId")) or text(next(iter(keys(information.get("asset"))), None))
        at = self._known.get(global_id or "", len(self._all))
        if at == len(self._all):
            self._all.append(Asset(place, global_id=global_id))
            if global_id:
                self._known[global_id] = at
        asset = self[at]
        asset.fallback = asset.fallback or name or global_id
        specific = information.get("specificAssetIds") or information.get("specificAssetId")
        for each in objects([specific] if isinstance(specific, dict) else specific):
            self._identifier(asset, each)
        return at

    def known(self, global_id: str) -> int | None:
        """The number of the asset with this global id."""
        return self._known.get(global_id)

    def _identifier(self, asset: Asset, each: Mapping[str, Any]) -> None:
        name, value = text(each.get("name")), text(each.get("value"))
        said = keys(each.get("externalSubjectId"))
        subject = said[-1] if said else None
        sort = fold(name or "")
        if not name or not value:
            self._found.note("document.missing", asset.place, what="specificAssetIds/name, value")
        elif sort in _NUMBER:
            asset.number = asset.number or value
            asset.issuer = asset.issuer or subject
        elif sort in _MAKER:
            asset.issuer = asset.issuer or value
        elif sort in _CUSTOMERS and subject:
            asset.aliases.append((subject, value, None))
        elif sort in _DRAWING and subject:
            asset.aliases.append((subject, None, value))
        elif sort in _SERIAL:
            asset.serial = asset.serial or value
        elif sort in _BATCH:
            asset.batch = asset.batch or value
        else:
            self._found.note("document.unused", asset.place, what=name)

    def write(self) -> None:
        """The rows of all assets: parts, the other numbers they go by, and the lots that instances are."""
        for asset in self._all:
            number = asset.number or asset.fallback
            if number is None:
                self._found.note("document.missing", asset.place, what="globalAssetId, specificAssetIds, idShort")
            elif asset.described:
                self._write(asset, number)

    def _write(self, asset: Asset, number: str) -> None:
        others = {language: said for language, said in asset.texts.items() if language not in {"zh", "en"}}
        english = asset.texts.get("en") or next(iter(others.values()), None)
        values: dict[str, Value] = {
            "number": number, "issuer": asset.issuer, "name_zh": asset.texts.get("zh"), "name_en": english,
        }  # fmt: skip
        values.update(asset.fields)
        if asset.global_id and not asset.global_id.startswith("urn:chaingraph:"):
            values["global asset id"] = asset.global_id
        if asset.version:
            values["hardware version"] = asset.version
        self._found.merge("parts", ("number", "issuer"), asset.place, **values)
        for organisation, theirs, drawing in dict.fromkeys(asset.aliases):
            self._found.add(
                "part_aliases", organisation=organisation, number=theirs, drawing_no=drawing, part=asset.reference
            )
        code = asset.serial or asset.batch
        if code:
            self._found.merge(
                "lots", ("part", "maker", "code"), asset.place,
                part=asset.reference, maker=asset.issuer, code=code, produced_on=asset.made_on,
                individual=True if asset.serial else None,
            )  # fmt: skip


def information_of(entity: Mapping[str, Any]) -> dict[str, Any]:
    """The identifiers of an entity, as asset information has them."""
    names = ("globalAssetId", "specificAssetIds", "specificAssetId", "asset")
    return {name: child(entity, name) for name in names if child(entity, name) is not None}
