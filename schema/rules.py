"""Consistency of facts with each other: one `check_*` function a rule, on frames, each with a code, a text and a remedy.

Every function takes the tables as they would be after a load (kind -> frame with the stored columns) and gives a frame of
findings: `kind`, `key` (stored key of the row at fault), `column`, `value`, `detail`. `RULES` says what each code means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from stdnum.cn import uscc

from schema.core import KINDS, Severity, kind
from schema.text import Text
from schema.vocabularies import AgeUnit

Tables = Mapping[str, pl.DataFrame]
DEEP = 1_000
"""A bill of materials deeper than this is taken, with a warning."""
_FINDING = {"kind": pl.String(), "key": pl.String(), "column": pl.String(), "value": pl.String(), "detail": pl.String()}


@dataclass(frozen=True)
class Rule:
    """A rule between facts. Rows at fault are refused when it is an error, and reported in any case."""

    code: str
    severity: Severity
    needs: tuple[str, ...]
    text: Text
    remedy: Text
    check: Callable[[Tables], pl.DataFrame]


RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, needs: tuple[str, ...], text: Text, remedy: Text
) -> Callable[[Callable[[Tables], pl.DataFrame]], Callable[[Tables], pl.DataFrame]]:
    """Register a `check_*` function; it is run when any kind of `needs` changes. `{detail}` and `{value}` fill the text."""

    def register(check: Callable[[Tables], pl.DataFrame]) -> Callable[[Tables], pl.DataFrame]:
        RULES[code] = Rule(code, severity, needs, text, remedy, check)
        return check

    return register


def table(tables: Tables, name: str) -> pl.DataFrame:
    """The rows of a kind, none when there are none."""
    return tables.get(name, kind(name).empty())


def findings(
    name: str, rows: pl.DataFrame, column: str, *, value: pl.Expr | None = None, detail: pl.Expr | None = None
) -> pl.DataFrame:
    """Findings about one column of the rows given."""
    nothing = pl.lit(None, pl.String)
    return rows.select(
        kind=pl.lit(name),
        key=pl.col("key"),
        column=pl.lit(column),
        value=(pl.col(column).cast(pl.String) if value is None else value.cast(pl.String)),
        detail=nothing if detail is None else detail.cast(pl.String),
    )


def nothing_found() -> pl.DataFrame:
    """No findings."""
    return pl.DataFrame(schema=_FINDING)


@rule(
    "contains.cycle", "error", ("contains",),
    Text("物料清单成环：{detail}。", "The bill of materials runs in a circle: {detail}."),
    Text("请删除环中的一行。", "Take one of these lines out."),
)  # fmt: skip
def check_cycle(tables: Tables) -> pl.DataFrame:
    """Lines inside a cycle, each with one shortest path around it."""
    return _cycles("contains", table(tables, "contains"), "parent", "child")


@rule(
    "lot_genealogy.cycle", "error", ("lot_genealogy",),
    Text("批次谱系成环：{detail}。", "The genealogy of lots runs in a circle: {detail}."),
    Text("请删除环中的一行。", "Take one of these rows out."),
)  # fmt: skip
def check_lot_cycle(tables: Tables) -> pl.DataFrame:
    """Genealogy rows inside a cycle."""
    return _cycles("lot_genealogy", table(tables, "lot_genealogy"), "from_lot", "into_lot")


@rule(
    "contains.dangling_child", "warning", ("contains", "part"),
    Text("子件 {value} 没有自己的记录。", "Nobody has described the child {value}."),
    Text("请补充该零件，或更正编码。", "Load the part, or correct its number."),
)  # fmt: skip
def check_dangling_child(tables: Tables) -> pl.DataFrame:
    """Lines whose child is only a stub."""
    stubs = table(tables, "part").filter("stub").select(child="key")
    return findings("contains", table(tables, "contains").join(stubs, on="child", how="semi"), "child")


@rule(
    "contains.deep", "warning", ("contains",),
    Text("物料清单深达 {value} 层。", "The bill of materials is {value} levels deep."),
    Text("请确认不是误连。", "Make sure that no line is wrong."),
)  # fmt: skip
def check_depth(tables: Tables) -> pl.DataFrame:
    """One finding when the bill of materials is deeper than DEEP levels."""
    lines = table(tables, "contains")
    if not len(lines):
        return nothing_found()
    parent, child, size = _codes(lines["parent"], lines["child"])
    above = csr_matrix((np.ones(len(parent), np.int8), (parent, child)), shape=(size, size))
    reached, level = np.ones(size, bool), 0
    while level <= DEEP and reached.any():
        reached = (above @ reached.astype(np.int32)) > 0
        level += 1
    if level <= DEEP:
        return nothing_found()
    graph = nx.DiGraph(zip(parent.tolist(), child.tolist(), strict=True))
    if not nx.is_directed_acyclic_graph(graph):
        return nothing_found()
    return findings("contains", lines.head(1), "parent", value=pl.lit(str(nx.dag_longest_path_length(graph))))


@rule(
    "contains.k_too_large", "error", ("contains",),
    Text("冗余组要求的工作数 k={value} 大于总数 {detail}。", "The group needs k={value} working units and has {detail}."),
    Text("请更正 k 或用量。", "Correct k or the quantities."),
)  # fmt: skip
def check_group_size(tables: Tables) -> pl.DataFrame:
    """Groups that need more units than they have."""
    lines = table(tables, "contains").filter(pl.col("k").is_not_null())
    total = lines.group_by("owner", "parent", "group").agg(units=pl.col("quantity").sum(), most=pl.col("k").max())
    bad = lines.join(total.filter(pl.col("most") > pl.col("units")), on=["owner", "parent", "group"], nulls_equal=True)
    return findings("contains", bad, "k", detail=pl.col("units"))


@rule(
    "contains.k_differs", "error", ("contains",),
    Text("同一冗余组的 k 或冗余方式不一致。", "Lines of one redundancy group differ in k or in the kind of redundancy."),
    Text("请统一该组各行。", "Make the lines of the group agree."),
)  # fmt: skip
def check_group_agrees(tables: Tables) -> pl.DataFrame:
    """Groups whose lines contradict each other."""
    lines = table(tables, "contains").filter(pl.col("group").is_not_null())
    mixed = lines.group_by("owner", "parent", "group").agg(a=pl.col("k").n_unique(), b=pl.col("redundancy").n_unique())
    bad = lines.join(mixed.filter((pl.col("a") > 1) | (pl.col("b") > 1)), on=["owner", "parent", "group"], how="semi")
    return findings("contains", bad, "group")


@rule(
    "contains.duty_missing", "error", ("contains", "part"),
    Text("父件按 {detail} 计寿命，子件单位不同，需要占空比。", "Parent and child count age in different units ({detail}); the line needs a duty."),
    Text("请填写占空比：父件每单位寿命对应的子件寿命。", "Give the duty: units of the child's age for each unit of the parent's."),
)  # fmt: skip
def check_duty(tables: Tables) -> pl.DataFrame:
    """Lines between parts of different age units that say no duty (1 is what an empty cell becomes)."""
    units = table(tables, "part").select("key", unit=pl.col("age_unit").fill_null("h"))
    lines = table(tables, "contains").filter(pl.col("duty") == 1)
    both = lines.join(units.rename({"key": "parent", "unit": "_of"}), on="parent").join(
        units.rename({"key": "child", "unit": "_to"}), on="child"
    )
    bad = both.filter(pl.col("_of") != pl.col("_to"))
    return findings("contains", bad, "duty", detail=pl.concat_str("_of", pl.lit(" / "), "_to"))


@rule(
    "contains.quantity_implausible", "warning", ("contains",),
    Text("用量 {value} 大得不像真的。", "A quantity of {value} is implausibly large."),
    Text("请核对用量和单位。", "Check quantity and unit."),
)  # fmt: skip
def check_quantity(tables: Tables) -> pl.DataFrame:
    """More than a million of a child in one parent."""
    return findings("contains", table(tables, "contains").filter(pl.col("quantity") > 1e6), "quantity")


@rule(
    "supplies.share_sum", "warning", ("supplies",),
    Text("该零件对该客户的供货比例合计为 {detail}，不等于 1。", "The shares of this part for this customer add up to {detail}, not 1."),
    Text("请核对各供应商的比例；计算时按合计归一。", "Check the shares; they are divided by their sum where they are used."),
)  # fmt: skip
def check_shares(tables: Tables) -> pl.DataFrame:
    """Shares of one part and customer, as one owner states them, that do not add up to 1 (within 0.5 %)."""
    rows = table(tables, "supplies").filter(pl.col("share").is_not_null())
    sums = rows.group_by("owner", "part", "customer").agg(total=pl.col("share").sum())
    bad = rows.join(
        sums.filter((pl.col("total") - 1).abs() > 0.005), on=["owner", "part", "customer"], nulls_equal=True
    )
    return findings("supplies", bad, "share", detail=pl.col("total").round(4))


@rule(
    "supplies.sole_contradicted", "warning", ("supplies",),
    Text("标为独家，但该零件对该客户还有其他供应商。", "Marked as the sole source, yet there are others for this part and customer."),
    Text("请更正供货状态。", "Correct the status."),
)  # fmt: skip
def check_sole(tables: Tables) -> pl.DataFrame:
    """A sole source next to another supplier."""
    rows = table(tables, "supplies")
    many = rows.group_by("owner", "part", "customer").agg(n=pl.col("supplier").n_unique()).filter(pl.col("n") > 1)
    bad = rows.filter(pl.col("status") == "sole").join(
        many, on=["owner", "part", "customer"], how="semi", nulls_equal=True
    )
    return findings("supplies", bad, "status")


@rule(
    "supplies.lead_time_spread", "warning", ("supplies",),
    Text("交期标准差大于交期本身。", "The lead time varies by more than itself."),
    Text("请核对单位是否为天。", "Check that both are in days."),
)  # fmt: skip
def check_lead_time(tables: Tables) -> pl.DataFrame:
    """Standard deviation of the lead time above the lead time."""
    bad = table(tables, "supplies").filter(pl.col("lead_time_sd_days") > pl.col("lead_time_days"))
    return findings("supplies", bad, "lead_time_sd_days")


@rule(
    "organisation.uscc", "warning", ("organisation",),
    Text("统一社会信用代码 {value} 校验位不符。", "The check digit of the social credit code {value} is wrong."),
    Text("请核对代码；真实代码中也有校验位不符者，故仍予接收。", "Check the code; some real ones are like that, so it is taken."),
)  # fmt: skip
def check_uscc(tables: Tables) -> pl.DataFrame:
    """Social credit codes that fail GB 32100-2015 (by python-stdnum, on the distinct codes)."""
    rows = table(tables, "organisation").filter(pl.col("uscc").is_not_null())
    wrong = [code for code in rows["uscc"].unique().to_list() if not uscc.is_valid(code)]
    return findings("organisation", rows.filter(pl.col("uscc").is_in(wrong)), "uscc")


@rule(
    "organisation.own_parent", "error", ("organisation",),
    Text("组织不能是自己的母公司。", "An organisation cannot own itself."),
    Text("请更正母公司。", "Correct the parent."),
)  # fmt: skip
def check_own_parent(tables: Tables) -> pl.DataFrame:
    """Organisations that are their own parent."""
    return findings("organisation", table(tables, "organisation").filter(pl.col("parent") == pl.col("key")), "parent")


@rule(
    "declared_value.implausible", "warning", ("declared_value",),
    Text("失效率 {value} 大得不像真的（折合 {detail} 次/小时）。", "A failure rate of {value} is implausible ({detail} per hour)."),
    Text("请核对单位：FIT 是 10⁻⁹/h。", "Check the unit: FIT is 10^-9 per hour."),
)  # fmt: skip
def check_declared(tables: Tables) -> pl.DataFrame:
    """Rates above one failure in an hour or below 1e-13, means below an hour or above 1e13."""
    rows = table(tables, "declared_value").join(RATE_UNITS, on="unit", how="left")
    rate = (
        pl.when(pl.col("metric") == "failure_rate")
        .then(pl.col("value") * pl.col("per_unit"))
        .otherwise(1 / pl.col("value"))
    )
    bad = rows.with_columns(rate=rate).filter((pl.col("rate") > 1) | (pl.col("rate") < 1e-13))
    return findings("declared_value", bad, "value", detail=pl.col("rate"))


@rule(
    "declared_value.unit", "error", ("declared_value",),
    Text("指标 {detail} 不能用单位 {value}。", "The metric {detail} cannot have the unit {value}."),
    Text("失效率用 1/h、FIT、fpmh 或 %/1000h；其他指标用 h、cycles、km 或 months。", "Rates: 1/h, FIT, fpmh or %/1000h; all else: h, cycles, km or months."),
)  # fmt: skip
def check_declared_unit(tables: Tables) -> pl.DataFrame:
    """Declared values whose unit does not belong to their metric."""
    rates = RATE_UNITS["unit"].to_list()
    rate = pl.col("metric") == "failure_rate"
    good = pl.when(rate).then(pl.col("unit").is_in(rates)).otherwise(pl.col("unit").is_in(AgeUnit.codes()))
    return findings("declared_value", table(tables, "declared_value").filter(~good), "unit", detail=pl.col("metric"))


@rule(
    "life_record.unit_mismatch", "warning", ("life_record", "part"),
    Text("寿命单位 {value} 与零件的单位 {detail} 不同，不参与寿命拟合。", "Its age is in {value}, the part's in {detail}: it is kept, and left out of fits."),
    Text("请按零件的寿命单位填写。", "Give the age in the part's unit."),
)  # fmt: skip
def check_age_unit(tables: Tables) -> pl.DataFrame:
    """Life records in another unit than their part's."""
    units = table(tables, "part").select(part="key", own=pl.col("age_unit").fill_null("h"))
    rows = table(tables, "life_record").filter(pl.col("unit").is_not_null()).join(units, on="part")
    return findings("life_record", rows.filter(pl.col("unit") != pl.col("own")), "unit", detail=pl.col("own"))


@rule(
    "life_record.age_implausible",
    "warning",
    ("life_record", "part"),
    Text("寿命 {value} 大得不像真的（单位 {detail}）。", "An age of {value} {detail} is implausibly large."),
    Text("请核对数值和单位。", "Check the figure and its unit."),
)  # fmt: skip
def check_age(tables: Tables) -> pl.DataFrame:
    """Ages beyond any that a thing reaches: a million hours (114 years), ten million km, 10^11 cycles."""
    units = table(tables, "part").select(part="key", own=pl.col("age_unit").fill_null("h"))
    rows = table(tables, "life_record").join(units, on="part", how="left")
    rows = rows.with_columns(pl.coalesce("unit", "own", pl.lit("h")).alias("own"))
    most = pl.col("own").replace_strict(OLDEST, default=None, return_dtype=pl.Float64)
    return findings("life_record", rows.filter(pl.max_horizontal("age", "age_to") > most), "age", detail=pl.col("own"))


@rule(
    "life_record.suspension_mode", "warning", ("life_record",),
    Text("在用的记录写了失效模式。", "A unit that is still alive has a failure mode."),
    Text("请核对失效标识。", "Check the event."),
)  # fmt: skip
def check_suspension_mode(tables: Tables) -> pl.DataFrame:
    """Suspensions that name a mode."""
    rows = table(tables, "life_record").filter((pl.col("event") == "suspension") & pl.col("mode").is_not_null())
    return findings("life_record", rows, "mode")


@rule(
    "date.future", "error", ("life_record", "lot", "shipment"),
    Text("日期 {value} 在将来。", "The date {value} is in the future."),
    Text("请更正日期。", "Correct the date."),
)  # fmt: skip
def check_future(tables: Tables) -> pl.DataFrame:
    """Things that happened after tomorrow (a day's grace for time zones)."""
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    happened = [
        ("life_record", "started_on"),
        ("life_record", "observed_on"),
        ("lot", "produced_on"),
        ("shipment", "shipped_on"),
    ]
    return pl.concat([findings(k, table(tables, k).filter(pl.col(c) > tomorrow), c) for k, c in happened])


@rule(
    "lot.made_after", "warning", ("lot_genealogy", "lot"),
    Text("投入批次的生产日期晚于产出批次（{detail}）。", "The lot that went in was made after the lot made of it ({detail})."),
    Text("请核对批次号和生产日期。", "Check lot codes and dates."),
)  # fmt: skip
def check_lot_order(tables: Tables) -> pl.DataFrame:
    """Genealogy against the order of production dates."""
    lots = table(tables, "lot")
    made = lots.select(lot=kind("lot").natural_of(), on="produced_on").drop_nulls().unique("lot", keep="first")
    rows = table(tables, "lot_genealogy").join(made.rename({"lot": "from_lot", "on": "_from"}), on="from_lot")
    rows = rows.join(made.rename({"lot": "into_lot", "on": "_into"}), on="into_lot").filter(
        pl.col("_from") > pl.col("_into")
    )
    return findings(
        "lot_genealogy",
        rows,
        "from_lot",
        detail=pl.concat_str(pl.col("_from").cast(pl.String), pl.lit(" > "), pl.col("_into").cast(pl.String)),
    )


@rule(
    "member.dates", "error", ("member",),
    Text("退出日期不晚于加入日期。", "Membership ends before it begins."),
    Text("请更正日期。", "Correct the dates."),
)  # fmt: skip
def check_membership(tables: Tables) -> pl.DataFrame:
    """Memberships that end before they begin."""
    return findings("member", table(tables, "member").filter(pl.col("until") <= pl.col("since")), "until")


OLDEST = {"h": 1e6, "km": 1e7, "cycles": 1e11, "months": 2e3}
"""Ages by unit beyond which a record is doubted."""

RATE_UNITS = pl.DataFrame(
    {"unit": ["1/h", "FIT", "fpmh", "%/1000h", "1/cycles", "1/km"], "per_unit": [1.0, 1e-9, 1e-6, 1e-5, 1.0, 1.0]}
)
"""Units of a failure rate, and how many failures per unit of age each stands for (FIT: IEC 61709, 10^-9 per hour)."""


def changed(names: set[str]) -> list[Rule]:
    """The rules to run when rows of these kinds change."""
    return [each for each in RULES.values() if names & set(each.needs)]


def _codes(start: pl.Series, end: pl.Series) -> tuple[np.ndarray, np.ndarray, int]:
    """Both ends as numbers 0..size-1."""
    both = pl.concat([start, end]).cast(pl.Categorical).to_physical().to_numpy()
    taken = np.zeros(int(both.max(initial=0)) + 1, bool)  # the codes are the process' own: number those that occur
    taken[both] = True
    numbers = np.cumsum(taken) - 1
    codes = numbers[both]
    return codes[: len(start)], codes[len(start) :], int(taken.sum()) if len(both) else 0


def _cycles(name: str, rows: pl.DataFrame, start: str, end: str) -> pl.DataFrame:
    rows = rows.filter(pl.col(start).is_not_null() & pl.col(end).is_not_null())
    if not len(rows):
        return nothing_found()
    a, b, size = _codes(rows[start], rows[end])
    count, part = connected_components(
        csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(size, size)), connection="strong"
    )
    if count == size and not (a == b).any():
        return nothing_found()
    inside = rows.filter(pl.Series((part[a] == part[b]) & ((np.bincount(part)[part[a]] > 1) | (a == b))))
    groups = part[a][(part[a] == part[b]) & ((np.bincount(part)[part[a]] > 1) | (a == b))]
    paths = {int(g): _path(inside.filter(pl.Series(groups == g)), start, end) for g in np.unique(groups)}
    detail = pl.Series("detail", [paths[int(g)] for g in groups])
    return findings(name, inside.with_columns(detail), end, detail=pl.col("detail"))


def _path(rows: pl.DataFrame, start: str, end: str) -> str:
    """One shortest way around a strongly connected set of rows, as `a -> b -> a`."""
    graph = nx.DiGraph(list(zip(rows[start], rows[end], strict=True)))
    if loops := [n for n, m in graph.edges if n == m]:
        return f"{loops[0]} → {loops[0]}"
    best: list[str] = []
    for source, target in sorted(graph.edges)[:50]:
        way = nx.shortest_path(graph, target, source)
        if not best or len(way) + 1 < len(best):
            best = [source, *way]
        if len(best) == 3:
            break
    shown = best if len(best) <= 12 else [*best[:6], "…", *best[-5:]]
    return " → ".join(shown)


SHEETS = {each.sheet: name for name, each in KINDS.items() if each.sheet}
"""The kinds by the names of their files in a dataset folder."""
