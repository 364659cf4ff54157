"""The graph itself: change sets, stores, snapshots, views. `Workspace` is the door, `View` what a viewer sees."""

from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.audit import Action, Entry
from chaingraph.errors import Busy, ChaingraphError, Conflict, NotFound, StoreError, Unavailable
from chaingraph.tracing import RELATIONS, Reached, Trace, trace
from chaingraph.view import View
from chaingraph.workspace import Workspace

__all__ = [
    "EVERYBODY",
    "RELATIONS",
    "Action",
    "Actor",
    "Busy",
    "Capability",
    "ChaingraphError",
    "Conflict",
    "Entry",
    "NotFound",
    "Reached",
    "StoreError",
    "Trace",
    "Unavailable",
    "View",
    "Workspace",
    "trace",
]
