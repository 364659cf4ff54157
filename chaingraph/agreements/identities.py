"""Who is behind a pseudonym: asked of the firms through whose data it is seen, and told once all of them agree."""

from __future__ import annotations

import datetime as dt
import uuid

import polars as pl

from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.agreements.lifecycle import allowed, newest
from chaingraph.audit import Action, Entry
from chaingraph.changes import ChangeSet
from chaingraph.errors import ChaingraphError, NotFound
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import Workspace
from schema import Text, kind
from schema.vocabularies import RequestState as State

REQUEST = "identity_request"


def request_identity(
    workspace: Workspace, actor: Actor, pseudonym: str, reason: str | None = None, *, dry_run: bool = False
) -> str:
    """Ask for the name behind a pseudonym of the actor's own view, for the actor's purpose; the request's number.

    Every firm through whose rows the pseudonym is seen is asked, each in a row of its own. What was asked already and
    is still open, or granted, is not asked again. Raises NotFound, with one and the same text, for a pseudonym that
    there is not and for one of somebody else's view.
    """
    allowed(actor, Capability.ASK)
    me, purpose = actor.organisation, actor.purpose.value
    with workspace.writing() as snapshot:
        view = workspace.view(me, purpose)
        subject = None if me == EVERYBODY else view.behind(pseudonym)
        asked = () if subject is None else view.disclosers(pseudonym)
        if subject is None or not asked:
            raise NotFound(
                "pseudonym.unknown",
                Text("没有这个化名。", "There is no such pseudonym."),
                Text("请检查化名及用途。", "Check it, and for which purpose you have seen it."),
            )
        again = _open(snapshot, me, purpose, pseudonym, asked)
        if again is not None:
            return again
        number, now = f"IR-{uuid.uuid4().hex[:12]}", dt.datetime.now(dt.UTC)
        given = {
            "id": number, "requester": me, "pseudonym": pseudonym, "subject": subject, "purpose": purpose,
            "reason": (reason or "").strip() or None, "state": State.REQUESTED.value, "at": now,
        }  # fmt: skip
        of = kind(REQUEST)
        each = [{**given, "asked": firm, "owner": firm} for firm in sorted(asked)]
        rows = of.frame(pl.DataFrame(each, schema_overrides={n: of.schema[n] for n in each[0]}))
        _write(workspace, snapshot, actor, Action.IDENTITY_REQUESTED, rows.with_columns(key=of.stored_key()), dry_run)
        return number


def grant_identity(
    workspace: Workspace, actor: Actor, number: str, until: dt.datetime | None = None, *, dry_run: bool = False
) -> str:
    """Agree, for the actor's own part, to tell the name, until a time if one is given; the number.

    Raises NotFound for a request of which the actor is not asked; ChaingraphError `identity.over` for a time gone by.
    """
    if until is not None:
        until = until.replace(tzinfo=dt.UTC) if until.tzinfo is None else until.astimezone(dt.UTC)
        if until <= dt.datetime.now(dt.UTC):
            raise ChaingraphError(
                "identity.over",
                Text("该时间已过。", "That time is over."),
                Text("请给出将来的时间。", "Give one to come."),
            )
    return _answer(workspace, actor, number, State.GRANTED, until, dry_run=dry_run)


def decline_identity(workspace: Workspace, actor: Actor, number: str, *, dry_run: bool = False) -> str:
    """Say no, for the actor's own part, or take back what was granted, at once; the number. Raises NotFound."""
    return _answer(workspace, actor, number, State.DECLINED, None, dry_run=dry_run)


def requests(workspace: Workspace, actor: Actor) -> pl.DataFrame:
    """The requests that the actor has made or is asked of, newest first; `subject` is null but in rows that ask it."""
    rows = newest(workspace).table(REQUEST).sort("at", "key", descending=[True, False])
    if actor.organisation == EVERYBODY:
        return rows
    asked, made = pl.col("asked") == actor.organisation, pl.col("requester") == actor.organisation
    return rows.filter(asked | made).with_columns(subject=pl.when(asked).then("subject"))


def _answer(
    workspace: Workspace, actor: Actor, number: str, state: State, until: dt.datetime | None, *, dry_run: bool
) -> str:
    allowed(actor, Capability.AGREE)
    with workspace.writing() as snapshot:
        rows = snapshot.table(REQUEST).filter(pl.col("id") == number)
        if actor.organisation != EVERYBODY:
            rows = rows.filter(pl.col("asked") == actor.organisation)
        if not rows.height:
            raise NotFound(
                "identity.unknown",
                Text("没有这个申请。", "There is no such request."),
                Text("请检查申请号。", "Check its number."),
            )
        time = pl.Datetime("us", "UTC")
        answered = rows.with_columns(
            state=pl.lit(state.value), until=pl.lit(until, time), changed_at=pl.lit(dt.datetime.now(dt.UTC), time)
        )
        action = Action.IDENTITY_GRANTED if state is State.GRANTED else Action.IDENTITY_DECLINED
        if not rows.select("state", "until").equals(answered.select("state", "until")):
            _write(workspace, snapshot, actor, action, answered, dry_run)
    return number


def _open(snapshot: Snapshot, me: str, purpose: str, pseudonym: str, asked: tuple[str, ...]) -> str | None:
    """The number of a request for the same that waits for an answer or holds, of just the same firms."""
    rows = snapshot.table(REQUEST).filter(
        (pl.col("requester") == me) & (pl.col("purpose") == purpose) & (pl.col("pseudonym") == pseudonym)
    )
    over = (pl.col("state") == State.DECLINED.value) | (pl.col("until") <= dt.datetime.now(dt.UTC)).fill_null(
        value=False
    )
    groups = rows.group_by("id").agg(over.any().alias("over"), pl.col("asked").sort(), pl.col("at").first())
    for number, is_over, firms, _ in groups.sort("at", descending=True).iter_rows():
        if not is_over and firms == sorted(asked):
            return str(number)
    return None


def _write(
    workspace: Workspace, snapshot: Snapshot, actor: Actor, action: Action, rows: pl.DataFrame, dry_run: bool
) -> None:
    if dry_run:
        return
    entry = Entry.of(
        action, actor, owners=tuple(sorted({*rows["asked"]})), kinds=(REQUEST,), revision=snapshot.revision,
        what={"request": str(rows["id"][0]), "pseudonym": str(rows["pseudonym"][0])},
    )  # fmt: skip
    workspace.submit(ChangeSet(put={REQUEST: rows.sort("key")}, by=actor.organisation), entries=[entry])
