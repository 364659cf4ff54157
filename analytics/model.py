"""From a view to the arrays that propagation and supply work on: read once for a view, shared by all analyses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics import evidence
from analytics.andor import Network
from analytics.arrays import Bools, Floats, Ints
from analytics.diagram import Diagram, Modes, build
from analytics.evidence import Evidence
from analytics.hazard import Hazards
from analytics.propagation import Units, units
from analytics.sourcing import UNKNOWN, Lines, Sources, Sourcing, StructureError
from analytics.supply import Risk, Terms, risks
from chaingraph import naming
from chaingraph.errors import ChaingraphError
from chaingraph.view import View
from schema import Text
from schema.units import is_measured

MONTH_DAYS = 365.25 / 12

PROBLEMS = {
    "cycle": Text("物料清单中有循环，涉及 {parts}。", "The bill of materials has a cycle; it involves {parts}."),
    "group_k": Text(
        "{parts} 中的冗余组要求的工作数多于其单元数。", "A redundancy group in {parts} needs more units than it has."
    ),
    "standby_unsupported": Text(
        "{parts}：尚不支持这种冷备（同一行的相同单元、k = 1，或恒定失效率）。",
        "{parts}: cold standby is supported for identical units of one line, with k = 1 or a constant failure rate.",
    ),
    "maker_unknown": Text(
        "没有记录表明该组织制造 {parts}。", "Nothing recorded says that this organisation makes {parts}."
    ),
    "duty_missing": Text(
        "{parts} 与其上级的寿命单位不同，需要占空比。",
        "{parts} and what contains it count age in different units; the line needs a duty.",
    ),
    "duty_explosion": Text(
        "占空比的组合过多，无法计算。", "Duties multiply to too many different ages to be computed."
    ),
}
"""What the codes of a StructureError mean to people."""


@dataclass(frozen=True)
class Model:
    """A view as arrays. Part and organisation codes are rows of their tables; `fits` has one row per hazard.

    `fits`: part, maker, mode, mechanism, kind, failures, codes (see `analytics.evidence`), with the rows of
    `Evidence.fits` first and those of whole assemblies after them.
    """

    view: View
    evidence: Evidence
    sourcing: Sourcing
    modes: Modes
    hazards: Hazards
    fits: pl.DataFrame
    indirect: Bools
    terms: Terms
    site: Ints
    site_region: Ints
    maker_region: Ints
    regions: pl.Series

    def parts(self, codes: Ints | tuple[int, ...] | list[int]) -> tuple[str, ...]:
        """Keys of parts."""
        return tuple(self.view.table("part")["key"].gather(np.asarray(codes, np.int64)).to_list())

    def maker(self, code: int) -> str | None:
        """Id of an organisation, None for an unknown one."""
        return None if code < 0 else str(self.view.table("organisation")["key"][code])

    def diagram(self, product: int, maker: int | None = None) -> Diagram:
        """The reliability diagram of a product, kept with the view."""
        return self.view.memo(
            ("analytics.diagram", product, maker),
            lambda: build(self.sourcing, self.modes, product, maker, self.indirect),
        )

    def observed(self, diagram: Diagram) -> Floats:
        """Age of the product up to which each fit was observed, shape (fits,); inf for declared ones and strangers."""
        found = np.full(len(self.fits), np.inf)
        oldest = self.fits["oldest"].fill_null(np.inf).to_numpy()
        with np.errstate(divide="ignore"):
            np.minimum.at(found, diagram.mode_fit, oldest[diagram.mode_fit] / diagram.mode_scale)
        return found

    def units(self, product: int) -> pl.DataFrame:
        """Units in one product: part, maker (null unknown), factor (its age for each unit of the product's), units."""
        found: Units = units(self.diagram(product))
        organisations, parts = self.view.table("organisation")["key"], self.view.table("part")["key"]
        maker = pl.Series(found.maker).cast(pl.Int64)
        return pl.DataFrame(
            {
                "part": parts.gather(pl.Series(found.part)),
                "maker": organisations.gather(maker.set(maker < 0, None))
                if len(organisations)
                else [None] * len(maker),
                "factor": found.factor,
                "units": found.units,
            },
            schema={"part": pl.String, "maker": pl.String, "factor": pl.Float64, "units": pl.Float64},
        )

    def network(self, product: int) -> Network:
        """The supply of a product, and with it of the other products that consortia care for, kept with the view."""
        roots = [product, *(p for p in self._products() if p != product)]
        return self.view.memo(
            ("analytics.network", product),
            lambda: Network.of(
                self.sourcing,
                [self.sourcing.root(p) for p in roots],
                self.site,
                self.site_region,
                self.maker_region,
            ),
        )

    def risks(self, product: int) -> tuple[Risk, ...]:
        """Supply risks of a product (see `analytics.supply.risks`), kept with the view.

        Codes of a row: parts by `parts`, makers by `maker`, its own subject by `subject`.
        """
        return self.view.memo(("analytics.risks", product), lambda: risks(self.network(product), self.terms))

    def subject(self, kind: str, code: int) -> str:
        """Key of an organisation, site or part, or the code of a region."""
        return str(self.regions[code] if kind == "region" else self.view.table(kind)["key"][code])

    def _products(self) -> list[int]:
        named = self.view.table("consortium")["products"].drop_nulls().str.split(";").explode().str.strip_chars()
        found = []
        for text in named.unique().sort().to_list():
            try:
                found.append(naming.part(self.view, text))
            except ChaingraphError:
                continue  # named, not described: nothing is known below it
        return found


def model(view: View) -> Model:
    """The model of a view, made once."""
    return view.memo("analytics.model", lambda: _read(view))


@contextmanager
def explained(of: Model) -> Iterator[None]:
    """Turns a StructureError into the error that people read, its parts named."""
    try:
        yield
    except StructureError as error:
        parts = of.parts(error.parts[:8])
        more = "…" if len(error.parts) > len(parts) else ""
        raise ChaingraphError(error.code, PROBLEMS[error.code].format(parts=", ".join(parts) + more)) from error


def _read(view: View) -> Model:
    lines, inside = _lines(view)
    sources, row = _sources(view, lines)
    parts = view.table("part").select("key", "age_unit").with_columns(assembly=pl.Series(inside))
    known = evidence.gather(
        view.table("life_record"),
        view.table("declared_value"),
        view.table("mode"),
        view.table("mechanism"),
        parts,
        shipments=view.table("shipment"),
    )
    fits = pl.concat([known.fits, known.totals])
    part = view.locate("part", fits["part"]).astype(np.int64)
    maker = np.full(len(fits), UNKNOWN)
    named = fits["maker"].is_not_null().to_numpy()
    maker[named] = view.locate("organisation", fits["maker"].drop_nulls())
    modes = Modes.of(part, maker, total=np.arange(len(fits)) >= len(known.fits))
    modes = modes.take((part >= 0) & (~named | (maker >= 0)))
    real = ~modes.total
    sourcing = Sourcing.of(
        view.count("part"), view.count("organisation"), lines, sources, modes.part[real], modes.maker[real]
    )
    indirect = np.zeros(view.count("part"), np.bool_)
    upstream = view.ref("propagation", "upstream_part")
    indirect[upstream[upstream >= 0]] = True
    terms, site, site_region, maker_region, regions = _supply(view, row)
    return Model(
        view,
        known,
        sourcing,
        modes,
        Hazards.concat([known.hazards, known.total_hazards]),
        fits,
        indirect,
        terms,
        site,
        site_region,
        maker_region,
        regions,
    )


def _in_effect(view: View, name: str, thing: list[str]) -> Ints:
    """Rows of a kind that hold at the view's time; of rows about one thing that differ in `valid_from` the latest."""
    today = view.at.date()
    rows = view.table(name).with_row_index("_at")
    if "valid_to" in rows.columns:
        rows = rows.filter(pl.col("valid_to").is_null() | (pl.col("valid_to") > today))
    rows = rows.filter(pl.col("valid_from").is_null() | (pl.col("valid_from") <= today))
    if rows["valid_from"].null_count() < len(rows):
        rows = rows.sort("valid_from", nulls_last=False, maintain_order=True).unique(thing, keep="last")
    return rows["_at"].sort().to_numpy().astype(np.int64)


def _lines(view: View) -> tuple[Lines, Bools]:
    """The bill of materials in effect, and which parts have one; the duty is nan where it is missing."""
    at = _in_effect(view, "contains", ["parent", "child", "find_no", "group"])
    parent, child = (view.ref("contains", end)[at].astype(np.int64) for end in ("parent", "child"))
    kept = (parent >= 0) & (child >= 0) & (parent != child)
    at, parent, child = at[kept], parent[kept], child[kept]
    table = view.table("contains").select(
        quantity=pl.col("quantity").fill_null(1.0),
        measured=is_measured(),
        group=pl.col("group").rank("dense").cast(pl.Int64).fill_null(UNKNOWN),
        k=pl.col("k").fill_null(UNKNOWN),
        standby=(pl.col("redundancy") == "standby").fill_null(value=False),
        duty=pl.col("duty").fill_null(1.0),
    )[at]
    unit = view.table("part")["age_unit"].fill_null("h").cast(pl.Categorical).to_physical().to_numpy()
    duty = table["duty"].to_numpy()
    inside = np.zeros(view.count("part"), np.bool_)
    inside[parent] = True
    columns = {name: table[name].to_numpy() for name in ("measured", "group", "k", "standby")}
    return (
        Lines.of(
            parent,
            child,
            table["quantity"].to_numpy(),
            **columns,
            duty=np.where((unit[parent] != unit[child]) & (duty == 1), np.nan, duty),
        ),
        inside,
    )


def _sources(view: View, lines: Lines) -> tuple[Sources, Ints]:
    """Supply rows in effect and their rows in the table.

    An assembly that nobody is said to supply is made by the issuer of its number if that firm buys one of its parts;
    such rows are added at the end, with the table row -1.
    """
    at = _in_effect(view, "supplies", ["supplier", "part", "customer", "site"])
    part, maker, customer = (view.ref("supplies", f)[at].astype(np.int64) for f in ("part", "supplier", "customer"))
    kept = (part >= 0) & (maker >= 0)
    at, part, maker, customer = at[kept], part[kept], maker[kept], customer[kept]
    share: Floats = view.table("supplies")["share"].gather(at).cast(pl.Float64).to_numpy()

    supplied = np.zeros(view.count("part"), np.bool_)
    supplied[part] = True
    issuer = view.ref("part", "issuer").astype(np.int64)
    bought = pl.DataFrame({"child": part, "by": customer}).unique()
    bare = np.flatnonzero(~supplied[lines.parent])
    made = pl.DataFrame({"parent": lines.parent[bare], "child": lines.child[bare], "by": issuer[lines.parent[bare]]})
    buying = made.join(bought, on=["child", "by"], how="semi").filter(pl.col("by") >= 0)
    own = buying["parent"].unique().sort().to_numpy()
    return (
        Sources(
            np.concatenate([part, own]),
            np.concatenate([maker, issuer[own]]),
            np.concatenate([customer, issuer[own]]),
            np.concatenate([share, np.ones(len(own))]),
        ),
        np.concatenate([at, np.full(len(own), -1)]),
    )


def _supply(view: View, row: Ints) -> tuple[Terms, Ints, Ints, Ints, pl.Series]:
    """What the supply rows say, their sites, and regions as codes: of sites, of organisations, and the codes' names.

    Stock lasts for the inventory over the monthly capacity, which is at least what the customer draws: a lower bound.
    """

    def of(column: pl.Series) -> Floats:
        return np.append(column.cast(pl.Float64).to_numpy(), np.nan)[row]

    table = view.table("supplies")
    month = pl.when(pl.col("capacity") > 0).then("capacity")
    stock = table.select(pl.col("inventory") / month * MONTH_DAYS).to_series()
    alternative = table["alternative_exists"].cast(pl.Int64).fill_null(-1).to_numpy()
    sites, firms = view.table("site"), view.table("organisation")
    regions = pl.concat([sites["region"], firms["region"]]).drop_nulls().unique().sort()
    numbered = pl.DataFrame({"region": regions}).with_row_index("code")

    def codes(column: pl.Series) -> Ints:
        joined = column.to_frame("region").join(numbered, on="region", how="left", maintain_order="left")["code"]
        return joined.cast(pl.Int64).fill_null(UNKNOWN).to_numpy()

    terms = Terms(
        alternative=np.append(alternative, -1)[row],
        recovery_days=of(table["recovery_days"]),
        lead_time_days=of(table["lead_time_days"]),
        lead_time_sd_days=of(table["lead_time_sd_days"]),
        stock_days=of(stock),
        site_recovery_days=sites["recovery_days"].cast(pl.Float64).to_numpy(),
    )
    site = np.append(view.ref("supplies", "site").astype(np.int64), UNKNOWN)[row]
    return terms, site, codes(sites["region"]), codes(firms["region"]), regions
