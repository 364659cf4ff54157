"""AASX packages: JSON or XML in a zip; hostile ones hurt nobody."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aas_test_engines import file as engines
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading import Limits, Unreadable
from ingest.reading.documents import aas, aas_xml, aasx
from ingest.writing import aasx as aasx_writing
from tests.ingest import exchange
from tests.ingest.shells import BOM, collection, entity, nameplate, prop, records, relation, shell, submodel, wrong

XML = """<?xml version="1.0" encoding="utf-8"?>
<environment xmlns="https://admin-shell.io/aas/3/0"><assetAdministrationShells><assetAdministrationShell>
<idShort>Pump</idShort><id>urn:example:shell</id><assetInformation><assetKind>Type</assetKind>
<globalAssetId>urn:example:p-100</globalAssetId><specificAssetIds><specificAssetId><name>manufacturerPartId</name>
<value>P-100</value><externalSubjectId><type>ExternalReference</type><keys><key><type>GlobalReference</type>
<value>Muster AG</value></key></keys></externalSubjectId></specificAssetId></specificAssetIds></assetInformation>
<submodels><reference><type>ModelReference</type><keys><key><type>Submodel</type><value>urn:example:Reliability</value>
</key></keys></reference></submodels></assetAdministrationShell></assetAdministrationShells><submodels><submodel>
<idShort>Reliability</idShort><id>urn:example:Reliability</id><submodelElements><submodelElementCollection>
<idShort>ReliabilityCharacteristics</idShort><value><property><idShort>MTBF</idShort><valueType>xs:int</valueType>
<value>20</value></property></value></submodelElementCollection></submodelElements></submodel></submodels></environment>
"""


def package(path: Path, environment: str, name: str = "environment.json") -> Path:
    """A package of ours with another environment in it."""
    made = aasx_writing.packed(b"{}")
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(path, "w") as new:
        for each in old.namelist():
            content = old.read(each).replace(b"environment.json", name.encode())
            new.writestr(
                each.replace("environment.json", name), environment if each.endswith("environment.json") else content
            )
    return path


def test_xml_says_the_same_as_json(tmp_path: Path) -> None:
    figures = collection("ReliabilityCharacteristics", prop("MTBF", "20", "xs:int"))
    document = shell(submodel("Reliability", figures))
    path = package(tmp_path / "pump.aasx", XML, "environment.xml")
    assert not wrong(engines.check_xml_file(io.StringIO(XML)))
    assert exchange.unpacked(path, tmp_path / "xml") == exchange.unpacked(
        package(tmp_path / "json.aasx", json.dumps(document)), tmp_path / "json"
    )


HOSTILE = {
    "entities": '<!DOCTYPE e [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><environment>&b;</environment>',
    "outside": '<!DOCTYPE e SYSTEM "file:///etc/passwd"><environment/>',
    "deep xml": "<e>" * 5000 + "</e>" * 5000,
    "broken xml": "<environment>",
    "deep json": "[" * 100_000 + "]" * 100_000,
    "no environment": "[]",
    "long number": '{"submodels": [' + "9" * 5000 + "]}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_packages_are_refused_or_empty(tmp_path: Path, content: str) -> None:
    path = package(tmp_path / "hostile.aasx", content)
    if content == "[]":
        assert exchange.unpacked(path, tmp_path / "out") == {}
        return
    with pytest.raises(Unreadable, match=r"file\.damaged"):
        exchange.unpacked(path, tmp_path / "out")


def test_a_package_unpacks_to_no_more_than_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.aasx"
    path.write_bytes(aasx_writing.packed(b" " * 100_000))
    with pytest.raises(Unreadable, match=r"file\.too_large"):
        aasx.parse(path, tmp_path, Limits(unpacked_bytes=50_000), lambda _done, _total: None)


@pytest.mark.parametrize("missing", ["_rels/.rels", "aasx/_rels/aasx-origin.rels", "aasx/environment.json"])
def test_a_package_that_leads_nowhere_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "part.aasx"
    with zipfile.ZipFile(io.BytesIO(aasx_writing.packed(b"{}"))) as old, zipfile.ZipFile(path, "w") as new:
        for each in old.namelist():
            if each != missing:
                new.writestr(each, old.read(each))
    with pytest.raises(Unreadable, match=r"file\.damaged"):
        exchange.unpacked(path, tmp_path / "out")
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(Unreadable, match=r"file\.damaged"):
        exchange.unpacked(path, tmp_path / "again")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


NOTICE = collection(None, prop("ManufacturerChangeID", "1"), records("LifeCycleData", collection(None, prop("A", "x"))))
PARTS = entity("EntryNode", "a", entity("B", "b"), relation("HasPart", ["EntryNode"], ["EntryNode", "B"]))
FOREIGN = shell(
    nameplate(),
    submodel("Reliability", collection("ReliabilityCharacteristics", prop("MTBF", "20"), prop("B10", "5"))),
    submodel("FunctionalSafety", collection("SafetyDeviceTypes", collection("E", prop("PFH", "1"), prop("B10D", "5")))),
    submodel("BOM", PARTS, meaning=BOM),
    submodel("ProductChangeNotifications", records("Records", NOTICE)),
)


@settings(max_examples=150)
@given(exchange.damaged(FOREIGN))
def test_no_document_breaks_the_reader(out: Path, document: Any) -> None:
    exchange.stored(aas.read(document), out)


@settings(max_examples=150)
@given(st.binary(max_size=60).map(lambda body: b"<environment>" + body + b"</environment>") | st.binary(max_size=60))
def test_no_xml_breaks_the_reader(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        aas.read(aas_xml.as_json(aas_xml.parse(body)))


def test_what_is_nested_too_deep_is_told() -> None:
    inner: dict[str, Any] = entity("N", "urn:example:n")
    for depth in range(100):
        inner = entity("N", f"urn:example:{depth}", inner)
    found = aas.read(shell(submodel("BOM", inner, meaning=BOM)))
    assert found is not None
    assert [each.code for each in found.notes] == ["document.too_deep"]
    assert len(found.rows["contains"]) == 64
