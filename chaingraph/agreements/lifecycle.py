"""How an agreement comes about and ends: proposed, accepted or declined, replaced, revoked.

Each step writes the rows and its leaf of the audit log in one transaction, on the newest snapshot.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import polars as pl

from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.agreements.terms import AGREEMENT, Terms, grantee_of, leader_of, member, refused
from chaingraph.audit import Action, Entry
from chaingraph.changes import ChangeSet
from chaingraph.errors import ChaingraphError, NotFound
from chaingraph.rights import Rights
from chaingraph.snapshot import Snapshot
from chaingraph.stubs import stub_rows
from chaingraph.workspace import Workspace
from schema import Text, kind
from schema.vocabularies import AgreementState as State

ALLOWED: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.ACCEPTED, State.DECLINED, State.REVOKED, State.REPLACED}),
    State.ACCEPTED: frozenset({State.REVOKED, State.REPLACED}),
    State.DECLINED: frozenset(),
    State.REVOKED: frozenset(),
    State.REPLACED: frozenset(),
}
"""Where a version may go from a state; it never comes back."""


def propose(
    workspace: Workspace,
    actor: Actor,
    terms: Terms,
    number: str | None = None,
    *,
    dry_run: bool = False,
) -> str:
    """Propose terms, as an agreement of their own or (with `number`) as the next version of one; the key, `id/version`.

    Either side may; who proposes has agreed. Where nobody else need (everyone is the grantee, or both sides are led by
    the proposer) the version holds at once. Raises ChaingraphError: `agreement.not_a_side` for who is neither side,
    `agreement.terms`; NotFound for a `number` that is none of the actor's.
    """
    allowed(actor, Capability.AGREE)
    with workspace.writing() as snapshot:
        consortia, firms = (set(snapshot.table(name)["key"]) for name in ("consortium", "organisation"))
        terms = replace(terms, grantee=grantee_of(terms.grantee, firms, consortia))
        terms.check()
        sides = _sides(snapshot, terms)
        if actor.organisation not in {EVERYBODY, *sides}:
            raise _not_a_side()
        if terms.end <= dt.datetime.now(dt.UTC):
            raise refused(Text("结束时间已过。", "It would have ended already."))
        version = 1
        if number is not None:
            before = _versions(snapshot, actor, number)
            if {*zip(before["owner"], before["grantee"], strict=True)} != {(terms.owner, terms.grantee)}:
                raise refused(
                    Text("新版本的双方须与原协议相同。", "Another version is between the same two."),
                    Text("与其他方共享，请另立协议。", "Propose an agreement of its own for another grantee."),
                )
            version = int(before["version"].max()) + 1  # type: ignore[arg-type]
        number = number or f"AG-{uuid.uuid4().hex[:12]}"
        by = terms.owner if actor.organisation == EVERYBODY else actor.organisation
        state = State.ACCEPTED if _agreed(sides, by) else State.PROPOSED
        row = {
            **terms.row(), "id": number, "version": version, "owner": terms.owner, "state": state.value,
            "proposed_by": by, "changed_at": dt.datetime.now(dt.UTC),
        }  # fmt: skip
        of = kind(AGREEMENT)
        rows = of.frame(pl.DataFrame([row], schema_overrides={n: t for n, t in of.schema.items() if n in row}))
        rows = rows.with_columns(key=of.stored_key())
        key = str(rows["key"][0])
        actions = [(Action.AGREEMENT_PROPOSED, rows)]
        if state is State.ACCEPTED:
            actions.append((Action.AGREEMENT_ACCEPTED, rows))
            rows = pl.concat([rows, _replaced(snapshot, number, version)])
        _write(workspace, snapshot, actor, rows, actions, dry_run=dry_run)
        return key


def accept(
    workspace: Workspace,
    actor: Actor,
    number: str,
    version: int | None = None,
    *,
    dry_run: bool = False,
) -> str:
    """Agree to a version (the newest where none is named) that the other side proposed; its key.

    From then on it holds, and those before it do not. One that is accepted already stays so. Raises NotFound;
    ChaingraphError `agreement.own_proposal`, `agreement.not_a_side`, `agreement.state`, `agreement.over`.
    """
    with workspace.writing() as snapshot:
        row, rows = _answering(snapshot, actor, number, version)
        if row["state"] != State.ACCEPTED.value:
            _may_become(row, State.ACCEPTED)
            if row["end"] <= dt.datetime.now(dt.UTC):
                raise ChaingraphError(
                    "agreement.over",
                    Text("该版本的期限已过。", "This version's time is over."),
                    Text("请提出新版本。", "Propose another version."),
                )
            later = _versions(snapshot, actor, number).filter(
                (pl.col("version") > row["version"]) & (pl.col("state") == State.ACCEPTED.value)
            )
            if later.height:
                raise _wrong_state(row, Text("已有更新的版本生效。", "A later version holds already."))
            mine = _into(rows, State.ACCEPTED)
            both = pl.concat([mine, _replaced(snapshot, str(row["id"]), int(row["version"]))])
            _write(workspace, snapshot, actor, both, [(Action.AGREEMENT_ACCEPTED, mine)], dry_run=dry_run)
        return str(row["key"])


def decline(
    workspace: Workspace,
    actor: Actor,
    number: str,
    version: int | None = None,
    *,
    dry_run: bool = False,
) -> str:
    """Say no to a version (the newest where none is named) that the other side proposed; its key.

    Raises as `accept`.
    """
    with workspace.writing() as snapshot:
        row, rows = _answering(snapshot, actor, number, version)
        if row["state"] != State.DECLINED.value:
            _may_become(row, State.DECLINED)
            mine = _into(rows, State.DECLINED)
            _write(workspace, snapshot, actor, mine, [(Action.AGREEMENT_DECLINED, mine)], dry_run=dry_run)
        return str(row["key"])


def revoke(
    workspace: Workspace,
    actor: Actor,
    number: str,
    version: int | None = None,
    *,
    dry_run: bool = False,
) -> tuple[str, ...]:
    """End an agreement at once, either side: all its versions that hold or are proposed, or the one named; their keys.

    None where nothing is left to end. Raises NotFound; ChaingraphError `agreement.not_a_side`.
    """
    allowed(actor, Capability.AGREE)
    with workspace.writing() as snapshot:
        rows = _versions(snapshot, actor, number)
        if version is not None:
            rows = rows.filter(pl.col("version") == version)
        if not rows.height:
            raise not_found()
        for row in rows.to_dicts():
            _must_be_side(snapshot, actor, row)
        ended = rows.filter(pl.col("state").is_in([State.PROPOSED.value, State.ACCEPTED.value]))
        if ended.height:
            mine = _into(ended, State.REVOKED)
            _write(workspace, snapshot, actor, mine, [(Action.AGREEMENT_REVOKED, mine)], dry_run=dry_run)
        return tuple(ended["key"])


def newest(workspace: Workspace) -> Snapshot:
    """The newest snapshot, for reading."""
    workspace.view()  # follows what others have committed
    return workspace.snapshot()


def visible(snapshot: Snapshot, actor: Actor) -> pl.DataFrame:
    """The stored rows of agreements that an actor may know of: its own data's, its proposals, and those with it."""
    rows = snapshot.table(AGREEMENT)
    if actor.organisation == EVERYBODY:
        return rows
    me = actor.organisation
    told = Rights(snapshot, me, actor.purpose.value, dt.datetime.now(dt.UTC)).told
    mine = (pl.col("owner") == me) | (pl.col("proposed_by") == me) | told
    return rows.filter(mine.fill_null(value=False))


def find(workspace: Workspace, actor: Actor, number: str, version: int | None = None) -> tuple[dict[str, Any], Terms]:
    """The stored row of a version (the newest where none is named), and its terms. Raises NotFound."""
    rows = _versions(newest(workspace), actor, number)
    rows = rows.tail(1) if version is None else rows.filter(pl.col("version") == version)
    if not rows.height:
        raise not_found()
    row = rows.to_dicts()[0]
    return row, Terms.read(row)


def allowed(actor: Actor, capability: Capability) -> None:
    """Raises ChaingraphError `actor.forbidden` unless the actor's role may do it."""
    if not actor.may(capability):
        raise ChaingraphError(
            "actor.forbidden",
            Text("该角色不能进行此操作。", "This role may not do that."),
            Text("请由本组织有权限的人员操作。", "Ask somebody of your organisation who may."),
        )


def not_found() -> NotFound:
    """There is no such agreement, as far as the asker may know."""
    return NotFound(
        "agreement.unknown",
        Text("没有这个协议。", "There is no such agreement."),
        Text("请检查协议号。", "Check its number."),
    )


def _versions(snapshot: Snapshot, actor: Actor, number: str) -> pl.DataFrame:
    """The versions of an agreement that the actor may know of, by version. Raises NotFound."""
    rows = visible(snapshot, actor).filter(pl.col("id") == number).sort("version")
    if not rows.height:
        raise not_found()
    return rows


def _answering(
    snapshot: Snapshot, actor: Actor, number: str, version: int | None
) -> tuple[dict[str, Any], pl.DataFrame]:
    """The version to be answered by an actor who is the other side. Raises as `accept`."""
    allowed(actor, Capability.AGREE)
    rows = _versions(snapshot, actor, number)
    rows = rows.tail(1) if version is None else rows.filter(pl.col("version") == version)
    if not rows.height:
        raise not_found()
    row = rows.to_dicts()[0]
    _must_be_side(snapshot, actor, row)
    sides = _sides(snapshot, Terms.read(row))
    if actor.organisation == row["proposed_by"] and not _agreed(sides, actor.organisation):
        raise ChaingraphError(
            "agreement.own_proposal",
            Text("这是本方提出的版本，须由对方答复。", "You proposed it; the other side answers."),
            Text("如不再需要，可撤销。", "Revoke it if you no longer want it."),
        )
    return row, rows


def _sides(snapshot: Snapshot, terms: Terms) -> frozenset[str]:
    """The two who agree: the owner, and who agrees for the grantee (nobody for everyone)."""
    leader = leader_of(snapshot, terms.grantee)
    return frozenset({terms.owner} if leader is None else {terms.owner, leader})


def _agreed(sides: frozenset[str], by: str) -> bool:
    """Whether nobody but `by` need agree. A consortium without a leader has no side that could, and never agrees."""
    return sides == {by}


def _must_be_side(snapshot: Snapshot, actor: Actor, row: dict[str, Any]) -> None:
    if actor.organisation not in {EVERYBODY, *_sides(snapshot, Terms.read(row))}:
        raise _not_a_side()


def _not_a_side() -> ChaingraphError:
    return ChaingraphError(
        "agreement.not_a_side",
        Text("只有协议双方可以这样做。", "Only the two sides of an agreement may do that."),
        Text("联合体由其链主代表。", "For a consortium that is its leader."),
    )


def _may_become(row: dict[str, Any], state: State) -> None:
    if state not in ALLOWED[member(State, row["state"])]:
        raise _wrong_state(row, Text("该版本已了结。", "This version is settled already."))


def _wrong_state(row: dict[str, Any], why: Text) -> ChaingraphError:
    now = member(State, row["state"]).text
    return ChaingraphError(
        "agreement.state",
        Text(f"{why.zh}当前状态：{now.zh}。", f"{why.en} It is: {now.en.lower()}."),
        Text("请提出新版本。", "Propose another version."),
    )


def _into(rows: pl.DataFrame, state: State) -> pl.DataFrame:
    """Rows brought into a state, now."""
    now = pl.lit(dt.datetime.now(dt.UTC), pl.Datetime("us", "UTC"))
    return rows.with_columns(state=pl.lit(state.value), changed_at=now)


def _replaced(snapshot: Snapshot, number: str, version: int) -> pl.DataFrame:
    """The versions before one, as replaced, where they held or waited."""
    rows = snapshot.table(AGREEMENT).filter((pl.col("id") == number) & (pl.col("version") < version))
    return _into(rows.filter(pl.col("state").is_in([State.PROPOSED.value, State.ACCEPTED.value])), State.REPLACED)


def _write(
    workspace: Workspace, snapshot: Snapshot, actor: Actor, rows: pl.DataFrame,
    actions: Iterable[tuple[Action, pl.DataFrame]], *, dry_run: bool,
) -> None:  # fmt: skip
    """Commit rows of agreements and what was done, unless it is only tried."""
    if dry_run:
        return
    entries = [
        Entry.of(
            action, actor, owners=tuple(sorted({*done["owner"]})), kinds=(AGREEMENT,), agreements=tuple(done["key"]),
            revision=snapshot.revision, what={"grantee": ";".join(sorted({*done["grantee"]}))},
        )
        for action, done in actions
    ]  # fmt: skip
    put = {AGREEMENT: rows.sort("key")}
    stubs = unknown_firms(snapshot, rows["proposed_by"], str(rows["owner"][0]))
    if stubs.height:
        put = {"organisation": stubs, **put}
    workspace.submit(ChangeSet(put=put, by=actor.organisation), entries=entries)


def unknown_firms(snapshot: Snapshot, firms: pl.Series, owner: str) -> pl.DataFrame:
    """Stubs for organisations that rows refer to and that nobody has stated yet."""
    of = kind("organisation")
    keys = firms.drop_nulls().unique().alias("key").to_frame()
    missing = keys.join(snapshot.table("organisation").select("key"), on="key", how="anti")
    where = {"owner": pl.lit(owner), "upload": pl.lit(None, pl.String), "row": pl.lit(None, pl.Int64)}
    return stub_rows(of, missing.with_columns(**where)) if missing.height else of.empty()
