"""The weak links of supply in words: what the product loses with a firm, a site or a region."""

from collections.abc import Sequence

import numpy as np

from analytics.core import Estimate, Reason
from analytics.findings import Explanation, WeakLink, number
from analytics.model import Model
from analytics.names import Names, filled, listed
from analytics.supply import Risk
from schema import Text

DAYS = "days"
"""Unit of a loss of supply: days until supply flows again that stock does not cover."""

SUBJECT = {
    "organisation": Text("{name}：{parts}", "{name}: {parts}"),
    "site": Text("场所 {name}：{parts}", "site {name}: {parts}"),
    "region": Text("地区 {name}：{parts}", "region {name}: {parts}"),
}
CODES = {
    "product_lost": Text("失去它，{product} 就无法生产。", "Without it {product} cannot be made."),
    "sole_source": Text("唯一来源（别家不能生产）：{sole}。", "Sole source, nobody else can make it: {sole}."),
    "single_source": Text(
        "独家供货（没有其他合格供方）：{single}。", "Single source, nobody else is qualified: {single}."
    ),
    "supply_unknown": Text(
        "没有供货关系，只从别的记录得知它制造 {single}；是否另有供方未知。",
        "No supply row names it: other records show that it makes {single}; whether others do is not known.",
    ),
    "common_ancestor": Text("以下物料的多个来源都依赖它：{shared}。", "Several sources depend on it alike: {shared}."),
    "hidden": Text(
        "产品厂家不直接向它采购，从一级供方看不到它。", "Hidden: the product's makers do not buy from it themselves."
    ),
    "other_products": Text("同时停产的还有：{others}。", "Lost with it are also: {others}."),
    "recovery_from_lead_time": Text("恢复天数未知，按交期计。", "Recovery is not known; the lead time stands for it."),
    "recovery_unknown": Text("恢复天数和交期都未知。", "Neither recovery nor lead time is known."),
    "stock_unknown": Text("库存未知，按没有库存计。", "Stock is not known and taken as none."),
}
UNCOVERED = Text("库存覆盖不了的中断约 {days} 天。", "About {days} days of supply that stock does not cover.")
STEPS = {
    "second_source": Text("为 {parts} 认证第二供方。", "Qualify a second source for {parts}."),
    "ask_sources": Text("请先补报 {parts} 的供货关系。", "Ask who supplies {parts}, first."),
    "develop": Text(
        "{parts} 没有替代：立项联合攻关或改设计。",
        "Nobody else can make {parts}: joint development, or another design.",
    ),
    "stock": Text("与其约定安全库存和恢复预案。", "Agree on safety stock and a plan for recovery."),
    "ask_supply": Text("请补报恢复天数、交期和库存。", "Ask for days of recovery, lead time and stock."),
    "spread": Text("核对各来源是否真正独立。", "See whether the sources are independent at all."),
}
MOST = 8
"""Parts named in a sentence, at most."""


def risk_links(risks: Sequence[Risk], names: Names, of: Model, product: int, inside: set[int]) -> list[WeakLink]:
    """Risks that touch a product, as rows in their order.

    `of` knows what their codes mean; `inside` are the parts of the product.
    """
    return [
        _link(risk, names, of, product, inside)
        for risk in risks
        if product in risk.products or inside.intersection((*risk.direct, *risk.shared))
    ]


def _link(risk: Risk, names: Names, of: Model, product: int, inside: set[int]) -> WeakLink:
    key = of.subject(risk.kind, risk.index)

    def own_first(parts: Sequence[int]) -> list[int]:
        return sorted(parts, key=lambda part: part not in inside)

    def called(indices: Sequence[int]) -> Text:
        named = [names.part(part) for part in of.parts(tuple(indices[:MOST]))]
        more = len(indices) - MOST
        return listed([*named, Text(f"等 {len(indices)} 种", f"and {more} more")] if more > 0 else named)

    path = of.parts(tuple(part for part, _ in risk.path))
    sole = own_first(risk.sole)
    single = own_first([part for part in risk.direct if part not in risk.sole])
    shared = [part for part in risk.shared if part in inside]
    own = next(iter(of.parts((sole + single + shared + list(risk.lost))[:1])), None)
    name = names.maker(key) if risk.kind == "organisation" else names.of(risk.kind, key)
    values = {
        "product": names.part(of.parts((product,))[0]),
        "sole": called(sole),
        "single": called(single),
        "shared": called(shared),
        "others": called([other for other in risk.products if other != product]),
    }
    codes = [code for code in risk.codes if shared or code != "common_ancestor"]
    reasons = [Reason(code=code, text=filled(CODES[code], **values)) for code in codes]
    known = not np.isnan(risk.days)
    if known:
        reasons.append(Reason(code="days_uncovered", text=filled(UNCOVERED, days=number(round(risk.days, 1)))))
    guessed = not known or any(code in codes for code in ("recovery_from_lead_time", "stock_unknown"))
    nothing = Text("", "")
    steps = [
        ("develop", called(sole), bool(sole)),
        ("ask_sources", called(single), "supply_unknown" in codes),
        ("second_source", called(single), "single_source" in codes),
        ("spread", nothing, "common_ancestor" in codes),
        ("ask_supply", nothing, guessed),
        ("stock", nothing, known and risk.days > 0),
    ]
    return WeakLink(
        rank=0,
        kind="supply",
        group=risk.kind,
        part=own,
        maker=key if risk.kind == "organisation" else None,
        region=key if risk.kind == "region" else None,
        label=filled(SUBJECT[risk.kind], name=name, parts=called(sole + single or shared)),
        loss=Estimate(value=risk.days, low=risk.days_low, high=risk.days_high, unit=DAYS),
        reasons=tuple(reasons),
        explanation=Explanation(
            part=own,
            places=(path,) if path else (),
            next_steps=tuple(
                Reason(code=code, text=filled(STEPS[code], parts=text)) for code, text, wanted in steps if wanted
            ),
        ),
    )
