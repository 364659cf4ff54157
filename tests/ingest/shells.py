"""Asset Administration Shells as others write them, and what the engine finds wrong with any."""

from __future__ import annotations

from typing import Any

from aas_test_engines.result import AasTestResult, Level


def wrong(result: AasTestResult) -> list[str]:
    """What the engine finds wrong or doubtful."""
    own = [result.message] if result.level is not Level.INFO else []
    return own + [each for inner in result.sub_results for each in wrong(inner)]


def external(value: str) -> dict[str, Any]:
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


def prop(name: str, value: str, kind: str = "xs:string", meaning: str | None = None) -> dict[str, Any]:
    made = {"modelType": "Property", "idShort": name, "valueType": kind, "value": value}
    return made | ({"semanticId": external(meaning)} if meaning else {})


def words(name: str, **said: str) -> dict[str, Any]:
    texts = [{"language": language, "text": each} for language, each in said.items()]
    return {"modelType": "MultiLanguageProperty", "idShort": name, "value": texts}


def collection(name: str | None, *elements: dict[str, Any]) -> dict[str, Any]:
    made = {"modelType": "SubmodelElementCollection", "value": list(elements)}
    return made | ({"idShort": name} if name else {})


def records(name: str, *elements: dict[str, Any]) -> dict[str, Any]:
    return {
        "modelType": "SubmodelElementList", "idShort": name, "typeValueListElement": "SubmodelElementCollection",
        "value": list(elements),
    }  # fmt: skip


def shell(*submodels: dict[str, Any], **information: Any) -> dict[str, Any]:
    """An environment of one shell, `Pump`, of Muster AG's P-100."""
    number = {"name": "manufacturerPartId", "value": "P-100", "externalSubjectId": external("Muster AG")}
    asset = {
        "assetKind": "Type", "globalAssetId": "urn:example:p-100",
        "specificAssetIds": [number],
        **information,
    }  # fmt: skip
    references = [{"type": "ModelReference", "keys": [{"type": "Submodel", "value": each["id"]}]} for each in submodels]
    only: dict[str, Any] = {
        "modelType": "AssetAdministrationShell",
        "id": "urn:example:shell",
        "idShort": "Pump",
        "assetInformation": asset,
    }
    if references:
        only["submodels"] = references
    return {"assetAdministrationShells": [only]} | ({"submodels": list(submodels)} if submodels else {})


def submodel(name: str, *elements: dict[str, Any], meaning: str | None = None) -> dict[str, Any]:
    made = {"modelType": "Submodel", "id": f"urn:example:{name}", "idShort": name, "submodelElements": list(elements)}
    return made | ({"semanticId": external(meaning)} if meaning else {})


def entity(name: str, asset: str | None, *statements: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"modelType": "Entity", "idShort": name, "entityType": "CoManagedEntity"}
    if asset:
        made |= {"entityType": "SelfManagedEntity", "globalAssetId": asset}
    return made | ({"statements": list(statements)} if statements else {})


def relation(name: str, first: list[str], second: list[str]) -> dict[str, Any]:
    def end(path: list[str]) -> dict[str, Any]:
        keys = [{"type": "Submodel", "value": "urn:example:BOM"}, *({"type": "Entity", "value": each} for each in path)]
        return {"type": "ModelReference", "keys": keys}

    return {"modelType": "RelationshipElement", "idShort": name, "first": end(first), "second": end(second)}


BOM = "https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel"


def nameplate() -> dict[str, Any]:
    """A nameplate of version 2, whose template the engine knows."""
    at = "0173-1#02-"
    named = [
        prop("URIOfTheProduct", "https://example.com/p-100", "xs:string", f"{at}AAY811#001"),
        words("ManufacturerName", de="Muster AG") | {"semanticId": external(f"{at}AAO677#002")},
        words("ManufacturerProductDesignation", zh="泵", en="Pump") | {"semanticId": external(f"{at}AAW338#001")},
        words("ManufacturerProductFamily", en="Pumps") | {"semanticId": external(f"{at}AAU731#001")},
        words("OrderCodeOfManufacturer", en="P-100") | {"semanticId": external(f"{at}AAO227#002")},
        collection(
            "ContactInformation",
            words("Street", de="Musterweg 1") | {"semanticId": external(f"{at}AAO128#002")},
            collection("Phone", words("TelephoneNumber", en="+86 139 0000 0000")),
        )
        | {"semanticId": external("https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/ContactInformation")},
        prop("SerialNumber", "4711", "xs:string", f"{at}AAM556#002"),
        prop("YearOfConstruction", "2025", "xs:string", f"{at}AAP906#001"),
        prop("DateOfManufacture", "2025-04-01", "xs:date", f"{at}AAR972#002"),
    ]
    return submodel("Nameplate", *named, meaning="https://admin-shell.io/zvei/nameplate/2/0/Nameplate")
