"""The graph itself: change sets, stores, snapshots, views. `Workspace` is the door, `View` what a viewer sees."""

from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.agreements import PRESETS, Seer, Terms, decline_identity, grant_identity, request_identity
from chaingraph.agreements import accept as accept_agreement
from chaingraph.agreements import decline as decline_agreement
from chaingraph.agreements import preset as preset_terms
from chaingraph.agreements import preview as preview_agreement
from chaingraph.agreements import preview_of as preview_of_agreement
from chaingraph.agreements import propose as propose_agreement
from chaingraph.agreements import reach as who_will_see
from chaingraph.agreements import revoke as revoke_agreement
from chaingraph.audit import Action, Entry
from chaingraph.audit.log import AuditLog
from chaingraph.audit.owners import others_behind, others_in
from chaingraph.errors import Busy, ChaingraphError, Conflict, NotFound, StoreError, Unavailable
from chaingraph.tracing import RELATIONS, Reached, Trace, trace
from chaingraph.view import View
from chaingraph.workspace import Workspace

__all__ = [
    "EVERYBODY",
    "PRESETS",
    "RELATIONS",
    "Action",
    "Actor",
    "AuditLog",
    "Busy",
    "Capability",
    "ChaingraphError",
    "Conflict",
    "Entry",
    "NotFound",
    "Reached",
    "Seer",
    "StoreError",
    "Terms",
    "Trace",
    "Unavailable",
    "View",
    "Workspace",
    "accept_agreement",
    "decline_agreement",
    "decline_identity",
    "grant_identity",
    "others_behind",
    "others_in",
    "preset_terms",
    "preview_agreement",
    "preview_of_agreement",
    "propose_agreement",
    "request_identity",
    "revoke_agreement",
    "trace",
    "who_will_see",
]
