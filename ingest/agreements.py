"""The sheet of agreements: with whom and about what in the form in which agreements are kept, and what may change.

A version's terms never change; a file may only bring versions and, an administrator's, the states that they come to.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import polars as pl

from chaingraph import Action, Actor, Entry
from chaingraph.agreements import ALLOWED, FIXED, grantee_of, records_of
from ingest.headers import fold
from ingest.resolve import Resolver
from schema.core import escape
from schema.entities.agreement import ALL, CONSORTIUM, EVERYONE, GROUP
from schema.vocabularies import AgreementState

NAME = "agreement"
_EVERYONE = {fold(each) for each in (EVERYONE, "everybody", "all", "所有人", "所有用户", "全体", "公开")}
_ALL = {fold(each) for each in (ALL, "everything", "全部", "所有", "不限")}
_PREFIXES = {
    fold(spelling): prefix
    for prefix, spellings in {
        CONSORTIUM: "consortium;联合体",
        GROUP: "group;工作组;小组",
        "part:": "part;零部件;零件;部件;物料",
        "subtree:": "subtree;及下级;零部件及下级;子树;组件",
        "class:": "class;part class;类别;零部件类别",
        "product:": "product;产品",
    }.items()
    for spelling in spellings.split(";")
}
_BETWEEN = re.compile(r"[;；、，,\n]+")
_NO_TIME = pl.lit(None, pl.Datetime("us", "UTC"))


def prepared(rows: pl.DataFrame, resolver: Resolver) -> pl.DataFrame:
    """Rows as read, with numbers, grantees and records as they are kept.

    Who is no administrator has numbers of its own: before one that is no agreement of its own its code is put, so that
    no answer tells whether there is another of that number.
    """
    organisations, consortia = resolver.known("organisation"), resolver.known("consortium")
    firms, bodies = _spellings(organisations), _spellings(consortia)
    keys = set(organisations["key"]), set(consortia["key"])

    def whom(text: str) -> str:
        prefix, _, rest = _piece(text)
        if fold(text) in _EVERYONE:
            return EVERYONE
        if prefix == CONSORTIUM:
            return prefix + bodies.get(rest, rest)
        if prefix == GROUP:
            body, _, name = rest.partition("/")
            return f"{prefix}{bodies.get(body, body)}/{name}"
        return grantee_of(firms.get(text) or bodies.get(text) or text, *keys)

    parts = _numbers(resolver.known("part"))

    def what(text: str) -> str:
        pieces = [piece.strip() for piece in _BETWEEN.split(text) if piece.strip()]
        return records_of(";".join(_record(piece, parts) for piece in pieces))

    rows = rows.with_columns(grantee=_mapped(rows["grantee"], whom), records=_mapped(rows["records"], what))
    if resolver.administrator:
        return rows
    table = resolver.view.table(NAME)
    own = table.filter(pl.col("owner") == resolver.by)["id"]
    apart = f"{resolver.by}:"
    ours = pl.col("id").is_in(own.implode()) | pl.col("id").str.starts_with(apart)
    return rows.with_columns(  # nobody says for another that it proposed
        id=pl.when(ours).then("id").otherwise(pl.lit(apart) + pl.col("id")),
        proposed_by=pl.lit(None, pl.String),
        changed_at=_NO_TIME,
    )


def continued(rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Rows (with stored keys) with what a file does not say: who proposed, when the state changed.

    A version that has been answered since stays so where a file still has it as proposed: the same file again changes
    nothing.
    """
    old = stored.select("key", _state_of="state", _by="proposed_by", _when="changed_at")
    both = rows.join(old, on="key", how="left", maintain_order="left")
    proposed = pl.col("state") == AgreementState.PROPOSED.value
    state = pl.when(proposed).then(pl.coalesce("_state_of", "state")).otherwise("state")
    both = both.with_columns(state=state, proposed_by=pl.coalesce("_by", "proposed_by", escape(pl.col("owner"))))
    kept = pl.when(pl.col("state") == pl.col("_state_of")).then("_when").otherwise(_NO_TIME)
    now = pl.lit(dt.datetime.now(dt.UTC), pl.Datetime("us", "UTC"))
    return both.with_columns(changed_at=pl.coalesce("changed_at", kept, now)).drop("_state_of", "_by", "_when")


def refused(rows: pl.DataFrame, stored: pl.DataFrame, *, administrator: bool) -> Iterator[tuple[str, pl.DataFrame]]:
    """What may not be, of rows beside what is stored (`_state` new, changed or same): codes and the rows."""
    old = stored.select("key", *[pl.col(name).alias(f"_was_{name}") for name in ("owner", "state", *FIXED)])
    both = rows.join(old, on="key", how="left", maintain_order="left").filter(pl.col("_state") != "same")
    known = pl.col("_was_owner").is_not_null()
    other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"_was_{name}")) for name in ("owner", *FIXED))
    yield "agreement.itself", both.filter(pl.col("grantee") == pl.col("owner"))
    yield "agreement.terms_changed", both.filter(known & other)
    moves = [f"{before}>{after}" for before, all_after in ALLOWED.items() for after in all_after]
    moved = known & ~other & (pl.col("state") != pl.col("_was_state"))
    allowed = pl.concat_str("_was_state", pl.lit(">"), "state").is_in(moves)
    yield "agreement.state_change", both.filter(moved & ~allowed)
    if not administrator:
        proposed = pl.col("state") == AgreementState.PROPOSED.value
        yield "agreement.only_proposed", both.filter((~known & ~proposed) | (moved & allowed))
    every = pl.concat([stored.select(_SIDES), rows.select(_SIDES)]).unique("key", keep="last", maintain_order=True)
    sides = every.with_columns(_n=pl.struct("owner", "grantee").n_unique().over("id"))
    yield "agreement.other_sides", both.join(sides.filter(pl.col("_n") > 1), on="key", how="semi")
    holding = every.filter(pl.col("state") == AgreementState.ACCEPTED.value)
    twice = holding.filter(pl.len().over("id") > 1)
    yield "agreement.two_hold", both.join(twice, on="key", how="semi")


def put_back(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that come back when an upload is taken back: what held or waited is revoked. Nothing is shared again by
    undoing a load; it is proposed anew.
    """
    live = pl.col("state").is_in([AgreementState.PROPOSED.value, AgreementState.ACCEPTED.value])
    now = pl.lit(dt.datetime.now(dt.UTC), pl.Datetime("us", "UTC"))
    return rows.with_columns(
        state=pl.when(live).then(pl.lit(AgreementState.REVOKED.value)).otherwise("state"),
        changed_at=pl.when(live).then(now).otherwise("changed_at"),
    )


_ACTIONS = {
    AgreementState.PROPOSED: Action.AGREEMENT_PROPOSED,
    AgreementState.ACCEPTED: Action.AGREEMENT_ACCEPTED,
    AgreementState.DECLINED: Action.AGREEMENT_DECLINED,
    AgreementState.REVOKED: Action.AGREEMENT_REVOKED,
}


def entries(rows: pl.DataFrame | None, actor: Actor, load: str, revision: int) -> list[Entry]:
    """What the audit log holds of agreements that a load brings, or changes: an entry for each state they come to."""
    if rows is None:
        return []
    found = [(action, rows.filter(pl.col("state") == state.value)) for state, action in _ACTIONS.items()]
    return [
        Entry.of(
            action,
            actor,
            owners=tuple(some["owner"].unique().sort()),
            kinds=(NAME,),
            agreements=tuple(some["key"].sort()),
            revision=revision,
            what={"load": load, "grantee": ";".join(some["grantee"].unique().sort())},
        )
        for action, some in found
        if some.height
    ]


_SIDES = ["key", "id", "owner", "grantee", "state"]


def _piece(text: str) -> tuple[str | None, str, str]:
    """The kind of thing that a text names with a word before a colon, its separator, and the name."""
    word, sign, rest = text.replace("：", ":").partition(":")
    return (_PREFIXES.get(fold(word)) if sign else None), sign, rest.strip()


def _record(piece: str, parts: dict[str, str]) -> str:
    prefix, _, rest = _piece(piece)
    if fold(piece) in _ALL:
        return ALL
    if prefix is None or prefix in {CONSORTIUM, GROUP}:
        return piece
    return prefix + (rest if prefix == "class:" else parts.get(rest, rest))


def _spellings(known: pl.DataFrame) -> dict[str, str]:
    """Keys by every way to write a thing that means only one: its key, its code, its names."""
    found: dict[str, str] = {}
    for name in ("name_zh", "name_en"):
        only = known.filter(pl.col(name).is_not_null() & ~pl.col(name).is_duplicated())
        found |= dict(only.select(name, "key").iter_rows())
    return found | dict(known.select("id", "key").iter_rows()) | {key: key for key in known["key"]}


def _numbers(parts: pl.DataFrame) -> dict[str, str]:
    """Keys of parts by key, and by number where only one has it."""
    only = parts.filter(~pl.col("number").is_duplicated())
    return dict(only.select("number", "key").iter_rows()) | {key: key for key in parts["key"]}


def _mapped(texts: pl.Series, rule: Callable[[str], str]) -> pl.Series:
    """Each distinct text by a rule, null for null."""
    distinct = texts.unique().drop_nulls()
    named = pl.Series([rule(each) for each in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, named, default=None, return_dtype=pl.String)
