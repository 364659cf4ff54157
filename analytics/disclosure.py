"""Results in which figures go that the viewer may use and not see: whether they may leave, and what of them.

A result of that kind counts as so many forms with generic coefficients in the figures of each firm that changes it;
an exact linear audit over everything answered so far (`analytics.pooling.audit`), whoever asked, refuses those by
which a firm's figures could be solved for, by an outsider or by any single firm that knows its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from analytics.pooling.audit import LinearAudit, generic
from chaingraph.basis import basis, ultimate_owners, used_only
from chaingraph.errors import ChaingraphError
from chaingraph.view import View
from chaingraph.workspace import Workspace
from schema import Text

R = TypeVar("R")

COLLECTION, NAME = "disclosure", "answered"
MOST = 50
"""Firms that a result is made without, one after another, to find out whose figures change it."""

USED = Text(
    "结果还用了 {count} 家企业仅供计算、不予展示的数据。",
    "Figures of {count} firms that may be used and not shown went into it.",
)
REFUSED = Text(
    "另有 {count} 家企业的数据仅供计算，未计入：加上已给出的结果，可能反推出其中某家的数值。",
    "Figures of {count} firms that may only be used are left out: with what was answered before, one firm's could be "
    "worked out.",
)
TOO_MANY = Text(
    "有超过 {most} 家企业的数据仅供计算，未计入。",
    "More than {most} firms let their figures only be used; they are left out.",
)


@dataclass(frozen=True, slots=True)
class Used:
    """A result with used-only figures (None where it may not leave), and what to say of them (None: nothing)."""

    result: Any
    said: Text | None


def released(
    workspace: Workspace, view: View, question: str, make: Callable[[View], Any], figures: Callable[[Any], list[float]]
) -> Used:
    """The result of `make` on what the viewer may use, if it may leave.

    `question` names the analysis and what it is asked; `figures` are the numbers of a result that leave. The audit's
    state is kept in the workspace before the answer leaves. The same answer to the same question may be had again.
    """
    firms = _changing(view, make, figures)
    if firms is None:
        return Used(None, TOO_MANY.format(most=str(MOST)))
    if not firms:
        return Used(None, None)
    result = make(basis(view))
    given = figures(result)
    digest = hashlib.sha256(json.dumps([question, view.viewer, [value.hex() for value in given]]).encode()).hexdigest()
    with workspace.writing():
        state = workspace.register.get(COLLECTION, NAME, fresh=True) or {"audit": None, "given": []}
        if digest not in state["given"]:
            audit = LinearAudit.of(state["audit"])
            vectors = [
                {(firm, "figures"): generic(digest, str(number), firm) for firm in firms}
                for number in range(len(given))
            ]
            if not audit.allow(*vectors):
                return Used(None, REFUSED.format(count=str(len(firms))))
            state = {"audit": audit.state(), "given": [*state["given"], digest]}
            workspace.register.put(COLLECTION, NAME, state)
    return Used(result, USED.format(count=str(len(firms))))


def _changing(view: View, make: Callable[[View], Any], figures: Callable[[Any], list[float]]) -> list[str] | None:
    """The ultimate owners whose used-only figures change the result, None where there are too many to tell."""
    owners = used_only(view)
    if not owners:
        return []
    ultimate = dict(ultimate_owners(view).iter_rows())
    firms: dict[str, set[str]] = {}
    for owner in owners:
        firms.setdefault(ultimate.get(owner, owner), set()).add(owner)
    if len(firms) > MOST:
        return None
    whole = _tried(make, basis(view), figures)
    return [
        firm for firm, theirs in sorted(firms.items()) if _tried(make, basis(view, frozenset(theirs)), figures) != whole
    ]


def _tried(make: Callable[[View], Any], view: View, figures: Callable[[Any], list[float]]) -> list[float] | str:
    """The figures of the result on a view, or why there is none."""
    try:
        return figures(make(view))
    except ChaingraphError as error:
        return error.code
