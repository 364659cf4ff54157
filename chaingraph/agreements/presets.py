"""Agreements ready made: the few that a supplier chooses among, each said in both languages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from chaingraph.agreements.terms import Terms
from chaingraph.errors import NotFound
from schema import Text
from schema.core import Aspect
from schema.entities.agreement import CONSORTIUM, EVERYONE, GROUP
from schema.vocabularies import AtEnd, Disclosure, Purpose

YEAR = 365
"""Days for which a preset runs; agreements are made anew, not forgotten."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A ready-made agreement: what it is called, what it means, and its terms; one without aspects shares nothing."""

    name: str
    label: Text
    text: Text
    aspects: tuple[Aspect, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    mode: Disclosure = Disclosure.SHOW
    at_end: AtEnd = AtEnd.KEEP
    grantee: str | None = None
    """With whom, where that is settled; a `consortium:` without a name takes any consortium or group."""


PRESETS: dict[str, Preset] = {
    each.name: each
    for each in (
        Preset(
            "private",
            Text("不共享", "Private"),
            Text(
                "除贵方外无人可见，也不用于任何计算。无需协议：没有协议就是不共享。",
                "Nobody but you sees it or computes with it. It needs no agreement: where there is none, nothing is "
                "shared.",
            ),
        ),
        Preset(
            "customer",
            Text("给我的客户", "To my customer"),
            Text(
                "客户可以查看物料构成、供货、可靠性和失效数据，用于质量改进和召回；下级供应商只显示化名，价格不可见，"
                "不得转给他人，一年后到期并删除。",
                "Your customer sees what your parts are made of, who supplies what, reliability and failures, to "
                "improve quality and for recalls. Names of your own suppliers stay hidden, prices too; nobody may pass "
                "it on; it ends after a year, and the data are deleted.",
            ),
            (Aspect.STRUCTURE, Aspect.SUPPLY, Aspect.RELIABILITY, Aspect.FAILURES),
            (Purpose.QUALITY, Purpose.RECALL),
            Disclosure.SHOW,
            AtEnd.DELETE,
        ),
        Preset(
            "pooled",
            Text("仅汇总对标", "Pooled only"),
            Text(
                "供货、可靠性和失效数据只进入联合体的汇总对标：至少五家一起才给出结果，任何人看不到贵方的数值；"
                "一年后到期并删除。",
                "Lead times, reliability and failures go into the consortium's benchmarks and nothing else: there is a "
                "figure only of several firms together, and nobody sees yours. It ends after a year, and the data are "
                "deleted.",
            ),
            (Aspect.SUPPLY, Aspect.RELIABILITY, Aspect.FAILURES),
            (Purpose.QUALITY, Purpose.PLANNING, Purpose.RESEARCH),
            Disclosure.POOL,
            AtEnd.DELETE,
            CONSORTIUM,
        ),
        Preset(
            "public",
            Text("公开", "Public"),
            Text(
                "系统的所有用户都可以查看物料构成和可靠性，不限用途，包括所提到的企业名称；供货、失效数据和价格仍不可见；"
                "一年后到期。已经看到的内容收不回来。",
                "Everyone here sees what your parts are made of and how reliable they are, for any purpose, with the "
                "names of the firms in it; supplies, failure records and prices stay hidden. It ends after a year; "
                "what people have seen by then cannot be taken back.",
            ),
            (Aspect.IDENTITY, Aspect.STRUCTURE, Aspect.RELIABILITY),
            tuple(Purpose),
            grantee=EVERYONE,
        ),
    )
}
"""The presets by name, from the least shared to the most."""


def preset(name: str, owner: str, grantee: str | None, now: dt.datetime, records: str = "all") -> Terms | None:
    """The terms of a preset from `now` on for a year; None for `private`, which is the absence of any.

    `public` needs no grantee; a consortium's key may be given plainly for `pooled`. Raises NotFound for another name;
    ChaingraphError `agreement.terms`.
    """
    found = PRESETS.get(name)
    if found is None:
        known = ", ".join(PRESETS)
        raise NotFound(
            "preset.unknown",
            Text(f"没有名为 {name} 的预设。", f"There is no preset {name}."),
            Text(f"可用的预设：{known}。", f"There are {known}."),
        )
    if not found.aspects:
        return None
    whom = grantee or ""
    if found.grantee == EVERYONE:
        whom = EVERYONE
    elif found.grantee == CONSORTIUM and whom and not whom.startswith((CONSORTIUM, GROUP)):
        whom = CONSORTIUM + whom
    return Terms.of(
        owner,
        whom,
        found.aspects,
        found.purposes,
        now,
        now + dt.timedelta(days=YEAR),
        records=records,
        at_end=found.at_end,
        mode=found.mode,
    )
