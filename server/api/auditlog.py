"""`accessLog`: who did what with the asking organisation's data, and what its own people did; the signed checkpoint.

An owner gets the entries that touched its data, cut down to what concerns it: no other owner, kind, analysis or
agreement of the same entry, other firms' accounts as pseudonyms. An auditor gets all entries whole.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import strawberry
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from strawberry import UNSET

from chaingraph import EVERYBODY, Action, Capability, Entry
from server.api import aspects, opaque, touched
from server.api.aspects import nothing
from server.api.context import Context, context_of
from server.api.inputs import argument, described_enum, maybe, several
from server.api.types import PageInfo, plain_type, publish

USUAL = 50
LIST = "accessLog"
"""What cursors belong to."""
MEANINGS = {
    Action.READ: "Rows, counts or results were read. 读取。",
    Action.DENIED: "An id that is none of the asking firm's was asked for, or the role did not allow it. 拒绝。",
    Action.EXPORT: "A table was downloaded. 导出。",
    Action.BENCHMARK: "A pooled figure was asked for. 基准查询。",
    Action.LOAD: "Data were brought in. 入库。",
    Action.UNDO: "An upload was taken back. 撤回。",
    Action.AGREEMENT_PROPOSED: "Terms were proposed. 提出协议。",
    Action.AGREEMENT_ACCEPTED: "Terms were accepted. 接受协议。",
    Action.AGREEMENT_DECLINED: "Terms were declined. 拒绝协议。",
    Action.AGREEMENT_REVOKED: "An agreement was revoked. 撤销协议。",
    Action.AGREEMENT_SETTLED: "An agreement that ended was settled. 协议到期处理。",
    Action.ERASED: "Data were erased. 擦除数据。",
    Action.IDENTITY_REQUESTED: "The firm behind a pseudonym was asked for. 申请身份。",
    Action.IDENTITY_GRANTED: "The firm behind a pseudonym was named. 同意公开身份。",
    Action.IDENTITY_DECLINED: "The firm behind a pseudonym was not named. 不公开身份。",
    Action.TOKEN_ISSUED: "A token was issued. 签发令牌。",
    Action.TOKEN_REVOKED: "A token was revoked. 吊销令牌。",
    Action.ACCOUNT_INVITED: "A firm was invited. 邀请企业。",
    Action.ACCOUNT_MADE: "An account was made. 建立账号。",
    Action.RELEASED: "Benchmarks were released. 发布基准。",
}
"""Every action, as the API says it."""
_ACTIONS: Any = enum.Enum("AccessAction", {each.name: each.value for each in MEANINGS})  # type: ignore[misc]
AccessAction = described_enum(_ACTIONS, "What was done.", MEANINGS.values())


POOLED = {Action.BENCHMARK, Action.RELEASED}
FIGURE = {"metric", "part_class", "mechanism", "statistic", "consortium", "released", "on"}
"""What a contributor is told of a pooled figure that its data went into."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as somebody may see it: what an `AccessLogEntry` reads from."""

    at: dt.datetime
    action: Any
    organisation: str | None
    role: str
    account: str
    purpose: str
    owners: list[str]
    kinds: list[str]
    agreements: list[str]
    analyses: list[str]
    what: list[str]


def shown(entry: Entry, context: Context, agreements: pl.DataFrame, secret: bytes) -> Shown:
    """What an actor may see of an entry; `agreements` are those that it knows (`key`, `owner`)."""
    me, whole = context.actor.organisation, context.actor.may(Capability.AUDIT_ALL)
    own = entry.organisation == me
    account, kinds, versions = entry.account, list(entry.kinds), sorted(entry.agreements)
    analyses = entry.what.get("analyses", "")
    what = [f"{name}: {said}" for name, said in sorted(entry.what.items())]
    if not whole:
        pooled = entry.action in POOLED  # whose agreements a pooled figure rests on would name who is in it
        known = agreements if own and not pooled else agreements.filter(pl.col("owner") == me)
        versions = sorted(set(versions) & set(known["key"]))
        what = [
            f"{name}: {said}"
            for name, said in sorted(entry.what.items())
            if (own and not name.startswith(("kinds of ", "analyses of "))) or (pooled and name in FIGURE)
        ]
        if not own:
            kinds = entry.what.get(f"kinds of {me}", " ".join(kinds)).split()
            analyses = entry.what.get(f"analyses of {me}", analyses)
            said = f"{me}\0{entry.organisation}\0{account}".encode()
            account = f"A-{hmac.new(secret, said, hashlib.sha256).hexdigest()[:12]}" if account else ""
    return Shown(
        entry.at,
        _ACTIONS(entry.action.value),
        entry.organisation or None,
        entry.role,
        account,
        entry.purpose,
        sorted(entry.owners) if whole else [each for each in entry.owners if each == me],
        sorted(kinds),
        versions,
        analyses.split(),
        what,
    )


@dataclass(frozen=True, slots=True)
class Info:
    """What a `PageInfo` reads from."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Edge:
    """What an `AccessLogEdge` reads from."""

    cursor: str
    node: Shown


@dataclass(frozen=True, slots=True)
class Page:
    """What an `AccessLogConnection` reads from."""

    edges: list[Edge]
    page_info: Info
    total_count: int

    @property
    def nodes(self) -> list[Shown]:
        """The entries without their cursors."""
        return [edge.node for edge in self.edges]


def _log(
    info: Any,
    first: Any = USUAL,
    after: Any = UNSET,
    action: Any = UNSET,
    since: Any = UNSET,
    until: Any = UNSET,
    organisation: Any = UNSET,
) -> Page:
    context = context_of(info)
    me, whole = context.actor.organisation, context.actor.may(Capability.AUDIT_ALL)
    sealed = opaque.of(context.view)
    entries = touched.log_of(context.workspace).newest()
    conditions = [] if whole else [(pl.col("organisation") == me) | pl.col("owners").list.contains(me)]
    if action:
        conditions.append(pl.col("action").is_in([each.value for each in action]))
    if since:
        conditions.append(pl.col("at") >= since)
    if until:
        conditions.append(pl.col("at") < until)
    if isinstance(organisation, str):
        conditions.append(pl.col("organisation") == organisation)
    found = entries.filter(conditions) if conditions else entries
    total = len(found)
    if after:
        (number,) = sealed.read_cursor(LIST, after)
        found = found.filter(pl.col("number") < number)
    page = found.tail(first).reverse()
    agreements = context.view.table("agreement").select("key", "owner")
    secret = context.workspace.store.secret(touched.SECRET)
    edges = [
        Edge(sealed.cursor(LIST, [number]), shown(Entry.read(leaf.encode()), context, agreements, secret))
        for number, leaf in zip(page["number"], page["leaf"], strict=True)
    ]
    first_cursor, last_cursor = (edges[0].cursor, edges[-1].cursor) if edges else (None, None)
    context.touched.logged = whole and me != EVERYBODY
    more, before = len(found) > len(page), bool(after) and total > len(found)
    return Page(edges, Info(more, before, first_cursor, last_cursor), total)


def fields() -> dict[str, Any]:
    """The fields of the root."""
    made = plain_type("AccessLogEntry", "What somebody did, as far as it concerns the asking firm. 访问记录。", {
        "at": (dt.datetime, "When.", None),
        "action": (AccessAction, "What was done.", None),
        "organisation": (maybe(str), "Who did it: an organisation; null for the administrator of the store.", None),
        "role": (str, "In which role.", None),
        "account": (str, "By which account or token; other firms' as a pseudonym that stays the same.", None),
        "purpose": (str, "For which purpose.", None),
        "owners": (several(str), "Whose data it touched: for an owner itself, for an auditor all.", None),
        "kinds": (several(str), "The kinds of rows.", None),
        "agreements": (several(str), "The agreement versions by which it was allowed: the asking firm's own.", None),
        "analyses": (several(str), "The analyses that the rows may have gone into.", None),
        "what": (several(str), "What else the log says; of others' doings only which pooled figure it was.", None),
    }, nothing("Who touched the asking firm's own data, and what it did itself; the log holds no data."))  # fmt: skip
    publish("AccessLogEntry", made)
    publish("AccessLogEdge", plain_type("AccessLogEdge", "An entry on a page of the access log.", {
        "cursor": (str, "Where it stands; goes into after.", None),
        "node": ("AccessLogEntry", "The entry.", None),
    }, nothing("An entry that concerns the asking firm.")))  # fmt: skip
    connection = plain_type("AccessLogConnection", "A page of the access log, the newest first. 访问日志。", {
        "edges": ("list[AccessLogEdge]", "The entries with their cursors.", None),
        "nodes": ("list[AccessLogEntry]", "The entries.", None),
        "page_info": (PageInfo, "Where the page stands.", None),
        "total_count": (int, "How many entries there are of those that are kept for reading.", None),
    }, nothing("Counts and places of entries that concern the asking firm."))  # fmt: skip
    publish("AccessLogConnection", connection)
    _log.__annotations__ = {
        "info": strawberry.Info,
        "first": argument(int, "How many: 1 to 100."),
        "after": argument(maybe(str), "Only entries after this cursor: older ones."),
        "action": argument(maybe(several(AccessAction)), "Only these actions."),
        "since": argument(maybe(dt.datetime), "Only from then on."),
        "until": argument(maybe(dt.datetime), "Only before then."),
        "organisation": argument(maybe(str), "Only what this organisation did."),
        "return": connection,
    }
    said = (
        "Who read, used or changed the asking organisation's data, and what its own people did; the newest first. "
        "访问日志：谁用了我方数据。"
    )
    made_field = strawberry.field(
        resolver=_log,
        description=said,
        metadata={"needs": Capability.AUDIT},
        directives=[nothing("Entries say themselves what they reveal.")],
    )
    return {"access_log": made_field}


def checkpoint(context: Callable[[Request], Context]) -> Callable[[Request], Awaitable[Response]]:
    """The handler of `/audit/checkpoint`: the log's signed checkpoint, for members to keep.

    For every role that may read the log, or the graph: what is asked of it is only that all are shown the same one.
    """

    async def answer(request: Request) -> Response:
        asked = context(request)
        if not (asked.actor.may(Capability.AUDIT) or asked.actor.may(Capability.READ)):
            raise aspects.forbidden("A checkpoint", asked.actor)
        text = await to_thread.run_sync(touched.log_of(asked.workspace).checkpoint)
        return PlainTextResponse(text, headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})

    return answer
