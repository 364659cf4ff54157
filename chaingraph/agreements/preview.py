"""What would be seen after an agreement, in plain words; of the owner's own rows only, so that it tells of nobody else.

Agreements between others, memberships and whatever the grantee has are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from chaingraph.actor import EVERYBODY, Actor
from chaingraph.agreements import scope
from chaingraph.agreements.lifecycle import find, newest
from chaingraph.agreements.terms import Terms, grantee_text, member
from chaingraph.workspace import Workspace
from schema import KINDS, Aspect, Kind, Text
from schema.entities.agreement import ALL, EVERYONE
from schema.vocabularies import Aspects, AtEnd, Disclosure, Purpose


@dataclass(frozen=True, slots=True)
class Shared:
    """What is shared of one kind: how many of the owner's rows (None where the asker is not the owner), how many are
    already, and which columns stay hidden.
    """

    kind: str
    label: Text
    rows: int | None
    before: int | None
    hidden: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What terms mean: sentences for people, and the same by kind.

    `firms` is the number of other organisations that the shared rows name (None where the asker is not the owner);
    `named` whether their names appear, else pseudonyms do.
    """

    terms: Terms
    sentences: tuple[Text, ...]
    shared: tuple[Shared, ...]
    named: bool
    firms: int | None


def preview(workspace: Workspace, actor: Actor, terms: Terms) -> Preview:
    """What the grantee could see, use or have pooled once these terms hold, and what of that it can already.

    Numbers of rows are for the owner alone; the other side reads the same sentences without them.
    """
    terms.check()
    snapshot = newest(workspace)
    mine = actor.organisation in {EVERYBODY, terms.owner}
    running = _running(snapshot.table, terms) if mine else []
    shared, firms = [], set[str]()
    for of in scope.kinds(terms):
        rows = before = None
        if mine:
            table = snapshot.table(of.name).filter(pl.col("owner") == terms.owner)
            inside = scope.within(snapshot.table, of, table, terms)
            firms |= _firms(of, table.filter(inside)) - {terms.owner, terms.grantee}
            already = pl.zeros(len(table), pl.Boolean, eager=True)
            for other in running:
                if of in scope.kinds(other):
                    already |= scope.within(snapshot.table, of, table, other)
            rows, before = int(inside.sum()), int((inside & already).sum())
        shared.append(Shared(of.name, of.text, rows, before, _hidden(of, terms)))
    named = Aspect.IDENTITY.value in terms.aspects
    count = len(firms) if mine else None
    return Preview(terms, tuple(_sentences(terms, shared, named, count)), tuple(shared), named, count)


def preview_of(workspace: Workspace, actor: Actor, number: str, version: int | None = None) -> Preview:
    """The preview of a version there is (the newest where none is named). Raises NotFound as for one there is not."""
    return preview(workspace, actor, find(workspace, actor, number, version)[1])


def _hidden(of: Kind, terms: Terms) -> tuple[Text, ...]:
    """The columns of a kind that stay hidden: of another aspect, or the owner's own."""
    fields = [f for n, f in of.fields.items() if f.meta.own or of.aspect_of(n).value not in terms.aspects]
    return tuple(field.label for field in fields)


def _running(tables: scope.Tables, terms: Terms) -> list[Terms]:
    """The owner's agreements with the same grantee, or with everyone, that hold now, as far as they overlap in purpose
    and in how figures may be used.
    """
    return [
        each
        for _, each in scope.running(tables, terms.owner)
        if each.grantee in {terms.grantee, EVERYONE}
        and each.mode is terms.mode
        and {*each.purposes} & {*terms.purposes}
    ]


def _firms(of: Kind, rows: pl.DataFrame) -> set[str]:
    """The organisations that rows name in fields of their own."""
    fields = [name for name, target in of.refs.items() if target == "organisation"]
    return {firm for name in fields for firm in rows[name].drop_nulls().unique()}


_USES = {
    Disclosure.SHOW: Text(
        "此后，{whom}可以查看{owner}所述的：{kinds}。", "After this, {whom} can see what {owner} states: {kinds}."
    ),
    Disclosure.USE: Text(
        "此后，{whom}的计算可以用到{owner}所述的：{kinds}；数值本身不可见。",
        "After this, results computed for {whom} use what {owner} states, without showing figures: {kinds}.",
    ),
    Disclosure.POOL: Text(
        "此后，{whom}的多家汇总对标会用到{owner}所述的：{kinds}；数值本身不可见。",
        "After this, benchmarks of several firms for {whom} use what {owner} states, without showing figures: {kinds}.",
    ),
}
_ENDS = {
    AtEnd.KEEP: Text(
        "到期后不再新增查看，已取得的数据可保留。", "After that it sees no more; what it has taken it may keep."
    ),
    AtEnd.DELETE: Text("到期后数据删除。", "After that the data are deleted."),
}


def _sentences(terms: Terms, shared: list[Shared], named: bool, firms: int | None) -> Iterable[Text]:
    whom, about = grantee_text(terms.grantee), _records_text(terms)
    named_kinds = [_counted(each) for each in shared if each.rows != 0]
    kinds = Text("（目前没有行）", "nothing so far")
    if named_kinds:
        kinds = Text("、".join(each.zh for each in named_kinds), ", ".join(each.en for each in named_kinds))
    use = _USES[terms.mode]
    yield Text(
        use.zh.format(whom=whom.zh, owner=terms.owner, kinds=kinds.zh + about.zh),
        use.en.format(whom=whom.en, owner=terms.owner, kinds=kinds.en + about.en),
    )
    yield Text("以后新增的同类数据也在内。", "What is added later is covered, too.")
    purposes = [member(Purpose, code).text for code in terms.purposes]
    yield Text(
        f"用途：{'、'.join(each.zh for each in purposes)}；不得用于其他用途。",
        f"It is for {_and([each.en.lower() for each in purposes])}, and for nothing else.",
    )
    if terms.mode is Disclosure.SHOW and firms != 0:
        yield _names(named, firms)
    other = [each.text for each in Aspects if each.value not in terms.aspects and each.value != Aspect.IDENTITY.value]
    if other:
        yield Text(
            f"仍不可见：{'、'.join(each.zh for each in other)}。",
            f"Still hidden: {_and([each.en.lower() for each in other])}.",
        )
    columns = {label.en: label for each in shared for label in each.hidden}
    if columns:
        yield Text(
            f"这些列仍不可见：{'、'.join(each.zh for each in columns.values())}。",
            f"Columns that stay hidden: {', '.join(columns)}.",
        )
    yield Text(
        f"从 {terms.start:%Y-%m-%d %H:%M} 到 {terms.end:%Y-%m-%d %H:%M}（UTC，不含该时刻）。{_ENDS[terms.at_end].zh}",
        f"From {terms.start:%Y-%m-%d %H:%M} until {terms.end:%Y-%m-%d %H:%M} UTC. {_ENDS[terms.at_end].en}",
    )
    if terms.onward:
        yield Text(
            "对方可以转授：其授权的对象也能看到。",
            "It may be passed on: those with whom the grantee shares see it, too.",
        )
    else:
        yield Text("不得转授他人。", "The grantee may not pass it on.")
    rows = [(each.rows, each.before) for each in shared if each.rows is not None and each.before is not None]
    if rows:
        total, before = sum(n for n, _ in rows), sum(n for _, n in rows)
        yield Text(
            f"共 {total} 行，其中 {before} 行现有协议已经涵盖，新增 {total - before} 行。",
            f"That is {total} rows: {before} of them are shared so by an agreement there is, {total - before} are new.",
        )
    if scope.open_ended(terms):
        yield Text(
            "哪些零部件属于该类别或在其下级，编码方和对方的资料也算数：实际涵盖的行可能多于此处所计。",
            "What is of that class, or in that part, is also for its issuer and the grantee to say: more rows may be "
            "covered than are counted here.",
        )
    yield Text("任何一方可随时撤销，立即生效。", "Either side can revoke it at any time, at once.")


def _names(named: bool, firms: int | None) -> Text:
    some = Text("" if firms is None else f"（{firms} 家）", "" if firms is None else f" ({firms} of them)")
    if named:
        return Text(f"其中的企业名称{some.zh}显示真名。", f"The names of other firms in it{some.en} are shown.")
    return Text(
        f"其中的其他企业{some.zh}只显示化名，除非贵方另行同意告知。",
        f"Other firms in it{some.en} appear as pseudonyms, until you agree to tell a name.",
    )


def _counted(shared: Shared) -> Text:
    of = KINDS[shared.kind]
    if shared.rows is None:
        return Text(of.text.zh, of.plural.en.lower())
    return Text(f"{of.text.zh}（{shared.rows} 行）", f"{of.plural.en.lower()} ({shared.rows})")


_SCOPE: dict[str, Text] = {
    "part": Text("零部件 {name}", "part {name}"),
    "subtree": Text("零部件 {name} 及其下级", "part {name} and all in it"),
    "class": Text("类别 {name} 的零部件", "parts of class {name}"),
    "product": Text("产品 {name} 及其下级", "product {name} and all in it"),
}


def _records_text(terms: Terms) -> Text:
    if terms.records == ALL:
        return Text("，不限零部件", ", about any part")
    pieces: list[Any] = [term.partition(":") for term in terms.records.split(";")]
    said = [_SCOPE[what].format(name=name) for what, _, name in pieces]
    return Text(f"，仅限{'、'.join(each.zh for each in said)}", f", about {_and([each.en for each in said])} only")


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
