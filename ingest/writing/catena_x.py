"""Aspects of Catena-X (SAMM models io.catenax.*) as JSON, strictly, of the newest version each.

The document is a list of envelopes: `semanticId` names the aspect, `payload` is what its JSON Schema describes. What a
model has no property for stands where it has room: fields of a part as classifications of the standard
`chaingraph:FIELD`, fields of a lot as local identifiers `customKey` of the value `chaingraph:FIELD=VALUE`, and those of
a line of a bill of materials beside the payload. What a model asks for and the graph has not is left out and counted:
lots without a day of production, lines of which a firm has no business partner number (an organisation's own code, or
its column `BPNL`), lives without the days from which their ages come.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from chaingraph import View
from ingest.reading.documents.catena_x.fleet import MONTH
from ingest.reading.documents.catena_x.parts import UNITS
from ingest.writing import Row, Written, reference, told
from ingest.writing import text as said
from schema.core import escape_text

KINDS = ("part", "contains", "lot", "lot_genealogy", "life_record", "organisation")
MODELS = {
    "PartTypeInformation": "part_type_information:2.0.0",
    "SerialPart": "serial_part:4.0.0",
    "Batch": "batch:4.0.0",
    "SingleLevelBomAsPlanned": "single_level_bom_as_planned:4.0.0",
    "SingleLevelBomAsBuilt": "single_level_bom_as_built:4.0.0",
    "Vehicles": "fleet.vehicles:4.0.0",
    "ClaimData": "fleet.claim_data:3.0.0",
}
"""The package and version of each aspect that is written."""
LINES = "chaingraph:lines"
"""Beside the payload of a bill of materials: what its lines say that the model has no property for."""

_NAMESPACE = uuid.UUID("8d4f1d6e-0f57-4b0a-9d0a-4f5b8f3e7a21")
_BPNL = re.compile(r"^BPNL[a-zA-Z0-9]{12}$")
_UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_COUNTRY = re.compile(r"^[A-Z]{3}$")
_NAMES = {unit: name for name, unit in UNITS.items()}
_CLOSE = 0.02
"""Months by which an age may differ from what its days say."""


def write(view: View, product: str | None = None) -> Written:
    """What the view has of a product and what is in it, or of all, as aspects."""
    asked = told(view, KINDS, product)
    parts = [row for row in asked.rows["part"] if not row["stub"]]
    known = {reference(row): row for row in parts}
    writer = _Writer(view, known, _partners(view), _known_ids(view, "part"), _known_ids(view, "lot"))
    writer.types(parts)
    writer.lots([row for row in asked.rows["lot"] if row["part"] in known])
    writer.planned(asked.by("contains", "parent"))
    writer.built([row for row in asked.rows["lot_genealogy"] if row["into_part"] in known])
    writer.lives([row for row in asked.rows["life_record"] if row["part"] in known])
    content = json.dumps(writer.documents, ensure_ascii=False, indent=1).encode()
    return Written(content, dict(writer.counts), asked.left_out + writer.left_out)


def _partners(view: View) -> dict[str, str]:
    """The business partner numbers of organisations: their codes where these are such, else their column BPNL."""
    found = {}
    for code, extra in view.table("organisation").select("id", "extra").iter_rows():
        others = json.loads(extra) if extra else {}
        number = next((v for name, v in others.items() if name.upper() in {"BPNL", "BPN"}), code)
        if _BPNL.match(str(number)):
            found[code] = str(number)
    return found


def _known_ids(view: View, kind: str) -> dict[str, str]:
    """The identifiers under which things came, by their keys."""
    found = {}
    table = view.table(kind).select("key", "extra").filter(pl.col("extra").str.contains('"catenaXId"'))
    for key, extra in table.iter_rows():
        known = str(json.loads(extra).get("catenaXId"))
        if _UUID.match(known):
            found[key] = known
    return found


def _id(*pieces: str | None) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, '/'.join(piece or '' for piece in pieces))}"


def _stamp(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


@dataclass
class _Writer:
    """The documents as they are written, and what went into them."""

    view: View
    parts: Mapping[str, Row]
    partners: Mapping[str, str]
    part_ids: Mapping[str, str]
    lot_ids: Mapping[str, str]
    documents: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    _lots: dict[tuple[str, str | None, str], str] = field(default_factory=dict)

    def add(self, aspect: str, payload: Mapping[str, Any], **beside: Any) -> None:
        """A document of an aspect."""
        urn = f"urn:samm:io.catenax.{MODELS[aspect]}#{aspect}"
        self.documents.append({"semanticId": urn, **beside, "payload": dict(payload)})

    def part_id(self, part: str) -> str:
        """The identifier of a part type."""
        issuer, _, number = part.partition("/")
        known = self.part_ids.get(f"{escape_text(issuer)}/{escape_text(number)}")
        return f"urn:uuid:{known}" if known else _id("part", part)

    def types(self, parts: Sequence[Row]) -> None:
        """Part types; who numbers them stands beside the payload."""
        for part in parts:
            payload = {"globalAssetId": self.part_id(reference(part)), "partTypeInformation": _type(part)}
            self.add("PartTypeInformation", payload, manufacturerId=part["issuer"])
            self.counts["part"] += 1

    def lots(self, lots: Sequence[Row]) -> None:
        """Single units as serialised parts, other lots as batches."""
        for lot in lots:
            part, maker, code = self.parts[lot["part"]], lot.get("maker"), lot["code"]
            made = lot.get("produced_on")
            if made is None:
                self.left_out += 1
                continue
            serial = lot.get("individual") is True
            local = [{"key": "manufacturerId", "value": maker}] if maker else []
            local.append({"key": "partInstanceId" if serial else "batchId", "value": code})
            kept = {name: value for name, value in lot.items() if name in {"quantity", "individual"}}
            kept = {name: value for name, value in kept.items() if not (serial and name == "individual")}
            if part["issuer"] != maker:
                kept["part"] = reference(part)
            local += [{"key": "customKey", "value": f"chaingraph:{n}={said(v)}"} for n, v in kept.items()]
            key = "/".join((escape_text(lot["part"]).replace("%2F", "/"), escape_text(maker), escape_text(code)))
            known = self.lot_ids.get(key)
            identity = f"urn:uuid:{known}" if known else _id("lot", lot["part"], maker, code)
            information = _type(part)
            if serial:
                information |= {"customerPartId": part["number"], "nameAtCustomer": information["nameAtManufacturer"]}
            self.add(
                "SerialPart" if serial else "Batch",
                {
                    "globalAssetId": identity, "localIdentifiers": local,
                    "manufacturingInformation": {"productionDate": made.isoformat()},
                    "partTypeInformation": information,
                },
            )  # fmt: skip
            self._lots[lot["part"], maker, code] = identity
            self.counts["lot"] += 1

    def _line(self, quantity: float, unit: str | None, maker: str | None) -> dict[str, Any] | None:
        """What every line has; None where the firm has no number or the unit no name."""
        partner = self.partners.get(maker or "")
        name = "piece" if unit in {None, "pcs", "piece"} else _NAMES.get(unit or "")
        if partner is None or name is None:
            self.left_out += 1
            return None
        return {"quantity": {"value": quantity, "unit": f"unit:{name}"}, "businessPartner": partner}

    def planned(self, lines: Mapping[str, Sequence[Row]]) -> None:
        """What is in part types; who numbers a part is its business partner."""
        for parent, below in lines.items():
            children, beside = [], []
            for line in below:
                if parent not in self.parts or line["child"] not in self.parts:
                    self.left_out += 1
                    continue
                unit = line.get("unit")
                child = self._line(line.get("quantity", 1.0), unit, line["child"].partition("/")[0])
                if child is None:
                    continue
                valid = {"validFrom": line.get("valid_from"), "validTo": line.get("valid_to")}
                period = {name: _stamp(day) for name, day in valid.items() if day is not None}
                since = line.get("valid_from") or self.view.at.date()
                child |= {"globalAssetId": self.part_id(line["child"]), "createdOn": _stamp(since)}
                children.append(child | ({"validityPeriod": period} if period else {}))
                told_already = {"parent", "child", "quantity", "unit", "valid_from", "valid_to"}
                rest = {name: value for name, value in line.items() if name not in told_already}
                beside.append(rest | ({"unit": unit} if unit in {"pcs", "piece"} else {}))
            if children:
                payload = {"globalAssetId": self.part_id(parent), "childItems": children}
                self.add("SingleLevelBomAsPlanned", payload, **({LINES: beside} if any(beside) else {}))
                self.counts["contains"] += len(children)

    def built(self, lines: Sequence[Row]) -> None:
        """What went into lots, of lots that are written."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            into = self._lots.get((line["into_part"], line.get("into_maker"), line["into_lot"]))
            used = self._lots.get((line["from_part"], line.get("from_maker"), line["from_lot"]))
            if into is None or used is None or line.get("quantity") is None:
                self.left_out += 1
                continue
            child = self._line(line["quantity"], None, line.get("from_maker"))
            if child is not None:
                more = {"globalAssetId": used, "hasAlternatives": False, "createdOn": _stamp(self.view.at.date())}
                found.setdefault(into, []).append(child | more)
        for into, children in found.items():
            self.add("SingleLevelBomAsBuilt", {"globalAssetId": into, "childItems": children})
            self.counts["lot_genealogy"] += len(children)

    def lives(self, records: Sequence[Row]) -> None:
        """Vehicles with their parts, and the claims about them: lives in months between two days."""
        end = max((row["observed_on"] for row in records if "observed_on" in row), default=None)
        told_ = [row for row in records if end is not None and self._tells(row, end)]
        self.left_out += len(records) - len(told_)
        if end is None or not told_:
            return
        vehicles: dict[str, dict[str, Any]] = {}
        claims: list[dict[str, Any]] = []
        for row in told_:
            vin, country = row["serial"], str(row.get("region", ""))
            vehicle = vehicles.setdefault(
                vin,
                {"anonymizedVIN": vin, "productionDate": "null", "soldDate": row["started_on"].isoformat(),
                 "soldCountryCode": country if _COUNTRY.match(country) else "null", "parts": []},
            )  # fmt: skip
            if "product" in row:
                vehicle["modelIdentifier"] = row["product"]
            part = self._installed(row)
            vehicle["parts"].append(part)
            if row["event"] == "failure":
                claims.append(self._claim(row, part))
            else:
                pair = {"key": "chaingraph:id", "value": f"{part.get('partId', part['partNumber'])}|{row['id']}"}
                vehicle.setdefault("additionalInformationList", []).append(pair)
        meta = {"metaInformation": {"selectionCriteria": "chaingraph", "selectionEnd": end.isoformat()}}
        self.add("Vehicles", {"vehicles": list(vehicles.values()), **meta})
        if claims:
            self.add("ClaimData", {"claims": claims, **meta})
        self.counts["life_record"] += len(told_)

    def _tells(self, row: Row, end: dt.date) -> bool:
        """Can a vehicle and its claim say all of a life that matters: its unit, its days and its age in months?"""
        if row["event"] not in {"failure", "suspension"} or row.get("entry") or "id" not in row:
            return False
        if any(name not in row for name in ("serial", "started_on", "observed_on")):
            return False
        if row["event"] == "suspension" and row["observed_on"] != end:
            return False
        part = self.parts[row["part"]]
        lot = self._lots.get((row["part"], row.get("maker"), row.get("lot", "")))
        mine = part["issuer"] == self.view.viewer and "maker" not in row and "lot" not in row
        months = (row["observed_on"] - row["started_on"]).days / MONTH
        return (
            row.get("unit", part.get("age_unit")) == "months"
            and abs(row["age"] - months) < _CLOSE
            and (mine or lot is not None)
        )

    def _installed(self, row: Row) -> dict[str, Any]:
        part = self.parts[row["part"]]
        made = {"partName": _name(part), "partNumber": part["number"]}
        lot = self._lots.get((row["part"], row.get("maker"), row.get("lot", "")))
        return made | ({"partId": lot, "batchNumber": row["lot"]} if lot else {})

    def _claim(self, row: Row, part: Mapping[str, Any]) -> dict[str, Any]:
        country = str(row.get("region", ""))
        claim = {
            "claimId": row["id"], "anonymizedVIN": row["serial"], "qualityTaskId": _id("task", self.view.viewer),
            "countryCode": country if _COUNTRY.match(country) else "null",
            "repairDate": row["observed_on"].isoformat(), "claimedParts": [{**part, "isPartCausal": True}],
        }  # fmt: skip
        return claim | ({"damageCodeDescription": row["symptom"]} if "symptom" in row else {})


def _name(part: Row) -> str:
    return str(part.get("name_zh") or part.get("name_en") or part["number"])


def _type(part: Row) -> dict[str, Any]:
    """What a model says of a part type, and as classifications what it has no property for."""
    name = "name_zh" if "name_zh" in part else "name_en"
    left = {"number", "issuer", name, "stub"}
    classes = [{"standard": f"chaingraph:{n}", "id": said(v)} for n, v in part.items() if n not in left]
    information = {"manufacturerPartId": part["number"], "nameAtManufacturer": _name(part)}
    return {**information, "partClassification": classes}
