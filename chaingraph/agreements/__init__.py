"""Agreements: their terms, how they come about and end, what they would show, requests for names, exchange as ODRL."""

from chaingraph.agreements.identities import decline_identity, grant_identity, request_identity, requests
from chaingraph.agreements.lifecycle import ALLOWED, accept, decline, find, propose, revoke, visible
from chaingraph.agreements.odrl import Exported, Imported
from chaingraph.agreements.odrl import export as export_odrl
from chaingraph.agreements.odrl import read as read_odrl
from chaingraph.agreements.presets import PRESETS, Preset, preset
from chaingraph.agreements.preview import Preview, Shared, preview, preview_of
from chaingraph.agreements.reach import Seer, reach
from chaingraph.agreements.terms import FIXED, Terms, grantee_of, grantee_text, records_of

__all__ = [
    "ALLOWED",
    "FIXED",
    "PRESETS",
    "Exported",
    "Imported",
    "Preset",
    "Preview",
    "Seer",
    "Shared",
    "Terms",
    "accept",
    "decline",
    "decline_identity",
    "export_odrl",
    "find",
    "grant_identity",
    "grantee_of",
    "grantee_text",
    "preset",
    "preview",
    "preview_of",
    "propose",
    "reach",
    "read_odrl",
    "records_of",
    "request_identity",
    "requests",
    "revoke",
    "visible",
]
