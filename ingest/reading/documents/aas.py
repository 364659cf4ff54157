"""Asset Administration Shells (IDTA 01001, metamodel V3): an environment as JSON.

Of the submodels those of parts are read: digital nameplate (IDTA 02006), hierarchical structures enabling bills of
material (02011), reliability (02013), functional safety (02014) and product change notifications (02036).
"""

from __future__ import annotations

from typing import Any

from . import Document, aas_submodels, objects, text
from .aas_assets import Assets
from .aas_tree import keys, model_type

_LISTS = ("assetAdministrationShells", "submodels", "conceptDescriptions")
_READ = {
    "nameplate": aas_submodels.nameplate,
    "structure": aas_submodels.structure,
    "reliability": aas_submodels.reliability,
    "safety": aas_submodels.safety,
    "changes": aas_submodels.changes,
    "ours": aas_submodels.ours_of_part,
}


def read(document: Any) -> Document | None:
    """What an environment says of parts; None for what is no environment."""
    if not isinstance(document, dict):
        return None
    if model_type(document) == "Submodel":
        document = {"submodels": [document]}
    elif model_type(document) == "AssetAdministrationShell":
        document = {"assetAdministrationShells": [document]}
    if not any(isinstance(document.get(name), list) for name in _LISTS):
        return None
    found = Document("AAS")
    shells, submodels = (objects(document.get(name)) for name in _LISTS[:2])
    if isinstance(document.get("assets"), list):
        found.note("document.version", format="AAS", version="2", known="3.0, 3.1")
    assets = Assets(found)
    units = _units(objects(document.get("conceptDescriptions")))
    described: dict[str, list[int]] = {}
    for number, shell in enumerate(shells):
        at = assets.add_shell(shell, f"/assetAdministrationShells/{number}")
        for reference in objects(shell.get("submodels")):
            if named := keys(reference):
                described.setdefault(named[-1], []).append(at)
    sorts = [aas_submodels.sort(submodel) for submodel in submodels]
    places = [f"/submodels/{number}" for number in range(len(submodels))]
    # nameplates first: they say who made the asset and what its number is, which the others refer to
    for number, submodel in sorted(enumerate(submodels), key=lambda each: sorts[each[0]] != "nameplate"):
        of = sorts[number]
        if of is None:
            what = text(submodel.get("idShort")) or text(submodel.get("id")) or "?"
            found.note("document.unused", places[number], what=what)
            continue
        about = described.get(text(submodel.get("id")) or "", [])
        context = aas_submodels.Context(found, assets, places[number], units)
        _READ[of](context, submodel, about)
    assets.write()
    return found


def _units(concepts: list[dict[str, Any]]) -> dict[str, str]:
    """Units by concept, where a data specification (IEC 61360) says them."""
    found: dict[str, str] = {}
    for concept in concepts:
        name, unit = text(concept.get("id")), aas_submodels.unit_of(concept)
        if name and unit:
            found[name] = unit
    return found
