"""The weak links of the field in words: groups that fail more often than the rest, and declared values denied."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.core import Estimate, Reason
from analytics.findings import Counted, Explanation, WeakLink, number
from analytics.hazard import LEVEL
from analytics.names import Names, filled, listed
from analytics.weak_groups import WeakGroups
from schema import Text

FAILURES = "failures"
"""Unit of a loss of reliability: expected failures of one product over the mission."""

SUBJECT = {
    "lot": Text("{part} 批次 {lot}（{maker}）", "lot {lot} of {part} by {maker}"),
    "upstream_lot": Text("{part} 批次 {lot}（{maker}）", "lot {lot} of {part} by {maker}"),
    "lots": Text("{part} 批次 {lot}～{last}（{maker}）", "lots {lot} to {last} of {part} by {maker}"),
    "upstream_lots": Text("{part} 批次 {lot}～{last}（{maker}）", "lots {lot} to {last} of {part} by {maker}"),
    "maker": Text("{maker} 制造的 {part}", "{part} by {maker}"),
    "region": Text("在地区 {region} 使用的 {part}", "{part} used in region {region}"),
    "version": Text("{part} 版本 {version}（{maker}）", "version {version} of {part} by {maker}"),
}
WEAK = Text(
    "{of}，{mode}：该组失效 {observed} 次，按其余同类在相同寿命下应为 {expected} 次，是其 {ratio} 倍"
    "（90% 区间 {low}～{high}）；p = {p}，q = {q}。",
    "{of}, {mode}: {observed} failures in the group; at the rest's rate and equal ages {expected} were to be expected: "
    "{ratio} times (90 % interval {low} to {high}); p = {p}, q = {q}.",
)
THROUGH = Text("经批次谱系进入 {lots}；涉及厂家：{makers}。", "By genealogy in {lots}; makers hit: {makers}.")
SERIES = Text("逐批：{lots}。", "Lot by lot: {lots}.")
SAME = Text(
    "以下分组由同样的单元组成，无法区分：{groups}。",
    "The same units make up {groups}: the data cannot tell them apart.",
)
SIBLINGS = Text(
    "同一厂家的其他批次也偏多，单独尚不足以列出：{lots}。",
    "Other lots of the same make fail more often, too, not enough to be listed by themselves: {lots}.",
)
LOT = Text("{lot}（{observed} 次，应为 {expected} 次）", "{lot} ({observed} for {expected})")
BASIS = Text(
    "损失 = 每台产品中该组 {units} 件 × 任务 {mission} 内超出其余同类的期望失效数。",
    "Loss: {units} units of the group in one product, failures beyond the rest's over {mission}.",
)
DENIED = Text(
    "声明值（{claim}）被现场否定：按声明在已观察的寿命内应失效 {expected} 次，实际 {observed} 次，是其 {ratio} 倍"
    "（90% 区间 {low}～{high}）；p = {p}。",
    "The field denies the declared value ({claim}): it promises {expected} failures over the ages observed, {observed} "
    "were seen: {ratio} times (90 % interval {low} to {high}); p = {p}.",
)
STEPS = {
    "hold_lot": Text(
        "隔离该批次库存，并按批次谱系找出已装机的单元。",
        "Hold what is left of the lot and trace the machines it is in.",
    ),
    "ask_maker": Text(
        "请 {maker} 做 8D：对比该批次与前后批次的过程和来料记录。",
        "Ask {maker} for an 8D: process and incoming records of this lot against those before and after.",
    ),
    "analyse": Text(
        "取失效件做失效分析，确认机理 {mechanism}。", "Have failed units analysed: is the mechanism {mechanism}?"
    ),
    "compare_makers": Text(
        "到 {maker} 做过程审核，并与其余厂家的同类件对比试验。",
        "Audit {maker}'s process and test its units beside the other makers'.",
    ),
    "environment": Text(
        "核对该地区的使用环境（温度、湿度、粉尘、负荷）与设计条件。",
        "Compare the region's conditions (heat, humidity, dust, load) with those designed for.",
    ),
    "change_version": Text(
        "查该版本的变更内容；评估升级或回退。", "See what the version changed; weigh an update or going back."
    ),
    "ask_report": Text(
        "请 {maker} 提供声明值的试验报告和条件。", "Ask {maker} for the test report and conditions behind the figure."
    ),
    "use_field": Text("在可靠性预计中改用现场拟合值。", "Use the value fitted to the field in predictions."),
}
NEXT = {
    "lot": ("hold_lot", "ask_maker", "analyse"),
    "upstream_lot": ("hold_lot", "ask_maker", "analyse"),
    "lots": ("hold_lot", "ask_maker", "analyse"),
    "upstream_lots": ("hold_lot", "ask_maker", "analyse"),
    "maker": ("compare_makers", "analyse"),
    "region": ("environment", "analyse"),
    "version": ("change_version", "analyse"),
}
SUSPECT = 0.05
"""A lot beside a listed one is mentioned where it, taken by itself, is less probable than this."""
MOST = 12
"""Rows of counts, and names in a sentence, at most."""


def group_links(found: WeakGroups, names: Names, mission: str, mechanisms: dict[str, str]) -> list[WeakLink]:
    """The weak groups as rows, in their order; `mission` with its unit, `mechanisms` by mode."""
    return [_group_link(found, row, names, mission, mechanisms) for row in found.listed.iter_rows(named=True)]


def subject(row: dict[str, Any], names: Names) -> Text:
    """What the group of a row is called."""
    part, maker = names.part(row["part"]), names.maker(row["maker"])
    lot, last = (names.lot(row[name]) if row[name] else "" for name in ("lot", "last"))
    more = {name: row[name] or "" for name in ("region", "version")}
    return filled(SUBJECT[row["kind"]], part=part, maker=maker, lot=lot, last=last, **more)


def _group_link(
    found: WeakGroups, row: dict[str, Any], names: Names, mission: str, mechanisms: dict[str, str]
) -> WeakLink:
    figures = {name: number(row[name]) for name in ("observed", "expected", "ratio", "p", "q")}
    reasons = [
        Reason(
            code="weak_" + row["kind"],
            text=filled(
                WEAK, of=names.part(row["of"]), mode=names.mode(row["mode"]), **figures,
                low=number(row["ratio_low"]), high=number(row["ratio_high"]),
            ),
        )
    ]  # fmt: skip
    counts = _counts(found, row, names)
    series, siblings = _lots(found, row, names)
    if series:
        reasons.append(Reason(code="series", text=filled(SERIES, lots=_counted(series))))
    if row["kind"].startswith("upstream"):
        lots, makers = ([c.label for c in counts if c.kind == kind] for kind in ("lot", "maker"))
        reasons.append(Reason(code="through_lots", text=filled(THROUGH, lots=listed(lots), makers=listed(makers))))
    if siblings:
        reasons.append(Reason(code="sibling_lots", text=filled(SIBLINGS, lots=_counted(siblings))))
    twins = _twins(found, row, names)
    if twins:
        reasons.append(Reason(code="same_units", text=filled(SAME, groups=listed([c.label for c in twins]))))
    reasons.append(Reason(code="loss_basis", text=filled(BASIS, units=number(row["units"]), mission=mission)))
    mechanism = mechanisms.get(row["mode"] or "")
    versions = found.groups.groups.filter(pl.col("group").is_in(row["twins"]) & (pl.col("kind") == "version"))
    steps = NEXT[row["kind"] if versions.is_empty() else "version"]  # a version of software is a lot, too
    steps = tuple(step for step in steps if step != "analyse" or mechanism)
    return WeakLink(
        rank=0,
        kind="reliability",
        group=row["kind"],
        part=row["part"],
        maker=row["maker"],
        lot=_worst(series) or (names.lot(row["lot"]) if row["lot"] else None),
        lots=tuple(c.label.en for c in series) or ((names.lot(row["lot"]),) if row["lot"] else ()),
        region=row["region"],
        version=row["version"],
        label=subject(row, names),
        loss=Estimate(value=row["loss"], low=row["loss_low"], high=row["loss_high"], unit=FAILURES),
        reasons=tuple(reasons),
        explanation=Explanation(
            part=row["of"],
            mode=row["mode"],
            observed=row["observed"],
            expected=row["expected"],
            rest_observed=row["rest_observed"],
            rest_expected=row["rest_expected"],
            ratio=Estimate(value=row["ratio"], low=row["ratio_low"], high=row["ratio_high"]),
            p=row["p"],
            q=row["q"],
            counts=(*series, *counts, *siblings, *twins),
            next_steps=_steps(steps, maker=names.maker(row["maker"]), mechanism=names.of("mechanism", mechanism)),
        ),
    )


def _steps(codes: Sequence[str], **values: Text) -> tuple[Reason, ...]:
    return tuple(Reason(code=code, text=filled(STEPS[code], **values)) for code in codes)


def _counts(found: WeakGroups, row: dict[str, Any], names: Names) -> list[Counted]:
    """Failures in the group by maker and by lot, most first."""
    candidates, table = found.groups.candidates, found.groups.table
    here = table.with_row_index().filter(stratum=row["stratum"], group=row["group"])["index"][0]
    cells = found.groups.cells[candidates.cell[candidates.candidate == here]]
    scale = _scale(row)
    counted: list[Counted] = []
    for kind in ("maker", "lot"):
        if kind in (row["kind"], "maker" if row["kind"] == "lot" else ""):
            continue
        by = (
            cells.filter(pl.col(kind).is_not_null())
            .group_by("maker" if kind == "maker" else ["lot", "maker"])
            .agg(pl.col("observed").sum(), pl.col("expected").sum())
            .sort("observed", "expected", kind, descending=[True, True, False])
        )
        for line in by.head(MOST).iter_rows(named=True):
            label = names.maker(line["maker"])
            if kind == "lot":
                code, maker = names.lot(line["lot"]), line["maker"] or "?"
                label = Text(f"{code}（{maker}）", f"{code} ({maker})")
            counted.append(
                Counted(kind=kind, label=label, observed=line["observed"], expected=line["expected"] * scale)
            )
    return counted


def _scale(row: dict[str, Any]) -> float:
    """What turns failures expected of the whole stratum into those expected at the rest's rate."""
    return float(row["rest_observed"] / row["rest_expected"])


def _lots(found: WeakGroups, row: dict[str, Any], names: Names) -> tuple[list[Counted], list[Counted]]:
    """The lots of a series, and other lots of the make that fail more often (p < 0.05) without being listed."""
    kind = row["kind"].removesuffix("s")
    if kind not in ("lot", "upstream_lot"):
        return [], []
    alone = found.selection.alone
    figures = pl.DataFrame({"observed": alone.observed, "expected": alone.expected, "p": alone.p, "more": alone.excess})
    make = [pl.col(name).eq_missing(pl.lit(row[name], pl.String)) for name in ("part", "maker")]
    lots = (
        pl.concat([found.groups.table, figures], how="horizontal")
        .filter(pl.col("stratum") == row["stratum"])
        .join(found.groups.groups, on="group")
        .filter((pl.col("kind") == kind) & make[0] & make[1])
        .sort("place")
    )
    first = lots.filter(pl.col("lot") == row["lot"])["place"][0]
    last = lots.filter(pl.col("lot") == (row["last"] or row["lot"]))["place"][0]
    inside = pl.col("place").is_between(first, last)
    listed_too = found.listed.filter(stratum=row["stratum"])["group"].to_list()
    others = lots.filter(~inside & (pl.col("p") < SUSPECT) & (pl.col("more") > 0))
    others = others.filter(~pl.col("group").is_in([*listed_too, *row["twins"]]))

    def counted(name: str, table: pl.DataFrame) -> list[Counted]:
        return [
            Counted(
                kind=name, label=Text(code, code), observed=line["observed"], expected=line["expected"] * _scale(row)
            )
            for line in table.head(MOST).iter_rows(named=True)
            for code in (names.lot(line["lot"]),)
        ]

    return counted("series", lots.filter(inside)) if row["last"] else [], counted("sibling", others)


def _worst(series: list[Counted]) -> str | None:
    """The code of the lot of a series with the most failures beyond those expected."""
    return max(series, key=lambda lot: lot.observed - lot.expected).label.en if series else None


def _counted(lots: list[Counted]) -> Text:
    """Lots with their failures, in a row."""
    return listed([filled(LOT, lot=c.label, observed=number(c.observed), expected=number(c.expected)) for c in lots])


def _twins(found: WeakGroups, row: dict[str, Any], names: Names) -> list[Counted]:
    """Groups of exactly the same units."""
    same = found.groups.groups.filter(pl.col("group").is_in(row["twins"])).head(MOST)
    return [
        Counted(kind="twin", label=subject(line, names), observed=row["observed"], expected=row["expected"])
        for line in same.iter_rows(named=True)
    ]


def denied_links(found: WeakGroups, names: Names, mission: str, claims: dict[str, Text]) -> list[WeakLink]:
    """Denied declared values as rows, in their order; `claims` say each in words, by part, maker and mode."""
    links: list[WeakLink] = []
    for row in found.denied.iter_rows(named=True):
        maker, part = names.maker(row["maker"]), names.part(row["part"])
        text = filled(
            DENIED,
            claim=claims[claim_key(row)],
            **{name: number(row[name]) for name in ("observed", "expected", "ratio", "p")},
            low=number(row["ratio_low"]),
            high=number(row["ratio_high"]),
        )
        basis = Text(
            f"损失 = 任务 {mission} 内每台产品超出声明值的期望失效数。",
            f"Loss: failures of one product beyond those declared, over {mission}.",
        )
        links.append(
            WeakLink(
                rank=0,
                kind="reliability",
                group="declared",
                part=row["part"],
                maker=row["maker"],
                label=filled(
                    Text("{maker} 对 {part} 的声明值", "what {maker} declares of {part}"), maker=maker, part=part
                ),
                loss=Estimate(value=row["loss"], low=row["loss_low"], high=row["loss_high"], unit=FAILURES),
                reasons=(Reason(code="declared_denied", text=text), Reason(code="loss_basis", text=basis)),
                explanation=Explanation(
                    part=row["part"],
                    mode=row["mode"],
                    observed=row["observed"],
                    expected=row["expected"],
                    ratio=Estimate(value=row["ratio"], low=row["ratio_low"], high=row["ratio_high"], level=LEVEL),
                    p=row["p"],
                    next_steps=_steps(("ask_report", "use_field"), maker=maker),
                ),
            )
        )
    return links


def claim_key(row: dict[str, Any]) -> str:
    """One text for (part, maker, mode)."""
    return "\n".join(row[name] or "" for name in ("part", "maker", "mode"))
