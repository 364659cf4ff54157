"""How good the data of each firm are, kind by kind: complete, timely, plausible, consistent, and what to mend first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from pydantic import Field

from analytics.core import Parameters, Piece, Result, analysis, digits
from analytics.labels import called
from chaingraph import naming
from chaingraph.contradictions import contradictions
from chaingraph.view import View
from schema import KINDS, Kind, Text
from schema.rules import RULES

WANTED = {
    "part": ("name_zh", "part_class", "chain_level", "criticality", "age_unit"),
    "contains": ("unit", "find_no"),
    "supplies": ("customer", "share", "status", "lead_time_days", "recovery_days", "alternative_exists"),
    "lot": ("maker", "produced_on", "quantity"),
    "lot_genealogy": ("from_maker", "into_maker"),
    "life_record": ("maker", "lot", "unit", "mode", "product", "started_on", "observed_on"),
    "shipment": ("maker", "lot", "region", "usage_per_month"),
    "declared_value": ("maker", "condition", "confidence", "low"),
    "inspection": ("maker", "lot", "inspected_on", "received", "checked"),
    "reliability_test": ("maker", "duration", "unit", "condition", "standard", "tested_on"),
    "fmea_item": ("effect", "cause", "severity", "occurrence", "detection"),
    "problem": ("maker", "mode", "root_cause", "corrective_action", "state", "opened_on"),
    "change_notice": ("maker", "category", "effective_on", "state"),
    "approval": ("customer", "status", "valid_to"),
}
"""What a row need not have and results get better by, by kind: completeness counts these cells."""

DATED = {
    "life_record": "observed_on", "shipment": "shipped_on", "inspection": "inspected_on", "problem": "opened_on",
    "reliability_test": "tested_on",
}  # fmt: skip
"""Which date says how far the data of a kind reach."""

EVERY = {"life_record": 31, "shipment": 31, "inspection": 31, "problem": 92, "reliability_test": 366, "supplies": 183}
"""Days after which data of a kind are due again; of other kinds a year."""
MOST = 1_000
"""So many contradictions are listed."""
_YEAR = 366
_DECADES = 3.0
"""A figure so many powers of ten away from the firm's median of the same part and field is not believed."""
_PLAUSIBLE = ("age", "value", "duration", "lead_time_days", "quantity", "price")


def shares(rows: pl.DataFrame, wanted: tuple[str, ...], by: str = "owner") -> pl.DataFrame:
    """By owner the share of cells filled, of each wanted column; no rows give no owners."""
    return (
        rows.group_by(by).agg(pl.len().alias("rows"), *[pl.col(name).is_not_null().mean() for name in wanted]).sort(by)
    )


def timeliness(days: float, every: float) -> float:
    """1 while nothing is due, then falling to 0 over twice the interval: data three intervals old are worth nothing."""
    return min(1.0, max(0.0, (3 * every - days) / (2 * every)))


class DataQualityParameters(Parameters):
    """Whose data."""

    organisation: str | None = Field(
        None, description="The firm whose data are looked at; all whose data are seen where none is named."
    )


class KindQuality(Piece):
    """How good the rows are that one firm states of one kind; measures from 0 to 1, None where nothing can be said."""

    organisation: str
    label: Text
    kind: str
    about: Text
    rows: int
    score: float
    """Mean of the measures that could be taken, in percent."""
    complete: float | None
    """Share of the wanted cells that are filled."""
    timely: float | None
    """1 while nothing is due, 0 where the newest data are three intervals old."""
    plausible: float | None
    """Share of the rows of which no rule and no other row of the firm makes one doubt."""
    consistent: float | None
    """Share of the statements that others make, too, in which nobody says otherwise."""
    newest: dt.date | None
    due: dt.date | None
    """When the next data are due."""
    mend: Text | None
    """What to mend first: what would raise the score most."""


class Contradiction(Piece):
    """A cell of one's own that another firm states otherwise; who, and what, only where the viewer sees it."""

    about: Text
    thing: str
    """What it is about, as its key has it."""
    column: Text
    organisation: str
    """Whose statement `value` is."""
    value: str
    other: str | None
    other_value: str | None


class DataQuality(Result):
    """The quality of data by firm and kind, the worst first, and what others state otherwise; empty where nothing is
    seen.
    """

    kinds: tuple[KindQuality, ...]
    contradictions: tuple[Contradiction, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """Firms and kinds with their measures, and contradictions."""
        contradicting = [
            {
                "kind": each.about.say(locale), "thing": each.thing, "column": each.column.say(locale),
                "organisation": each.organisation, "value": each.value, "other": each.other,
                "other_value": each.other_value,
            }
            for each in self.contradictions
        ]  # fmt: skip
        return {"kinds": self._kinds(locale), "contradictions": contradicting}

    def _kinds(self, locale: str) -> list[dict[str, Any]]:
        return [
            {
                "organisation": each.organisation, "kind": each.kind, "rows": each.rows, "score": digits(each.score),
                "complete": digits(each.complete), "timely": digits(each.timely), "plausible": digits(each.plausible),
                "consistent": digits(each.consistent), "newest": each.newest and each.newest.isoformat(),
                "due": each.due and each.due.isoformat(), "mend": each.mend and each.mend.say(locale),
            }
            for each in self.kinds
        ]  # fmt: skip

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each firm and kind."""
        headings = (
            Text("组织", "Organisation"), Text("种类", "Kind"), Text("行数", "Rows"), Text("得分", "Score"),
            Text("完整", "Complete"), Text("及时", "Timely"), Text("可信", "Plausible"), Text("一致", "Consistent"),
            Text("应更新", "Due"), Text("先改什么", "Mend first"),
        )  # fmt: skip
        return [each.say(locale) for each in headings], [
            [
                each.label.say(locale), each.about.say(locale), each.rows, f"{each.score:.0f}",
                *(_percent(m) for m in (each.complete, each.timely, each.plausible, each.consistent)),
                each.due.isoformat() if each.due else "–", each.mend.say(locale) if each.mend else "–",
            ]
            for each in self.kinds
        ]  # fmt: skip


def reminders(found: DataQuality, today: dt.date, soon: int = 7) -> list[KindQuality]:
    """What is due by so many days from today, the longest overdue first."""
    due = [each for each in found.kinds if each.due is not None and each.due <= today + dt.timedelta(days=soon)]
    return sorted(due, key=lambda each: each.due or today)


def _percent(measure: float | None) -> str:
    return "–" if measure is None else f"{100 * measure:.0f} %"


@analysis(
    "data_quality",
    zh="数据质量",
    en="Quality of data",
    subject="organisation",
    parameters=DataQualityParameters,
    result=DataQuality,
)
def data_quality(view: View, asked: DataQualityParameters) -> DataQuality:
    """How good each firm's data are, kind by kind, with what to mend first and when the next data are due.

    Four characteristics of ISO/IEC 25012, as ratios in the manner of ISO/IEC 25024: *complete*, the share of wanted
    cells that are filled; *timely* (currentness), 1 while nothing is due, falling to 0 at three intervals; *plausible*
    (credibility), the share of rows without a warning of a rule and within three powers of ten of the firm's median;
    *consistent*, the share of statements made by others, too, in which nobody says otherwise. The score is the mean of
    those that can be taken, in percent. Only what the viewer sees is counted; that another says otherwise is told also
    where the other's data may be used, without what it says.
    """
    wanted = None
    if asked.organisation is not None:
        at = naming.organisation(view, asked.organisation)
        wanted = str(view.table("organisation")["key"][at])
    doubted = _doubted(view)
    otherwise = contradictions(view)
    found = [
        each
        for name in WANTED
        for each in _of(view, KINDS[name], wanted, doubted.filter(pl.col("kind") == name), otherwise)
    ]
    otherwise = otherwise.filter(pl.lit(value=True) if wanted is None else pl.col("owner") == wanted)
    return DataQuality(
        kinds=tuple(sorted(found, key=lambda q: (q.score, q.organisation, q.kind))),
        contradictions=tuple(
            Contradiction(
                about=KINDS[row["kind"]].text, thing=row["natural"], organisation=row["owner"], value=row["value"],
                column=KINDS[row["kind"]].fields[row["field"]].label, other=row["other"],
                other_value=row["other_value"],
            )
            for row in otherwise.head(MOST).iter_rows(named=True)
        ),
    )  # fmt: skip


def _doubted(view: View) -> pl.DataFrame:
    """Rows (`kind`, stored `key`) of which a rule warns."""
    tables = {name: view.stated(name) for name in KINDS}
    found = [rule.check(tables).select("kind", "key") for rule in RULES.values() if rule.severity == "warning"]
    return pl.concat([pl.DataFrame(schema={"kind": pl.String(), "key": pl.String()}), *found]).unique()


def _of(view: View, of: Kind, only: str | None, doubted: pl.DataFrame, otherwise: pl.DataFrame) -> list[KindQuality]:
    rows = view.stated(of.name)
    if of.stubs:
        rows = rows.filter(~pl.col("stub"))
    rows = rows.filter(pl.col("owner").is_not_null() if only is None else pl.col("owner") == only)
    if not rows.height:
        return []
    filled = shares(rows, WANTED[of.name])
    doubt = rows.select("owner", bad=pl.col("key").is_in(doubted["key"].implode()) | _far(of, rows))
    plausible = dict(doubt.group_by("owner").agg(1 - pl.col("bad").mean()).iter_rows())
    consistent = _consistent(view, of, otherwise)
    newest = _newest(view, of, rows)
    made = []
    for row in filled.iter_rows(named=True):
        owner, cells = row["owner"], {name: row[name] for name in WANTED[of.name]}
        last = newest.get(owner)
        every = EVERY.get(of.name, _YEAR)
        timely = None if last is None else timeliness((view.at.date() - last).days, every)
        measures = {
            "complete": sum(cells.values()) / len(cells), "timely": timely, "plausible": plausible[owner],
            "consistent": consistent.get(owner),
        }  # fmt: skip
        taken = [value for value in measures.values() if value is not None]
        made.append(
            KindQuality(
                organisation=owner,
                label=called(view, "organisation", owner),
                kind=of.name,
                about=of.text,
                rows=row["rows"],
                score=100 * sum(taken) / len(taken),
                newest=last,
                due=last and last + dt.timedelta(days=every),
                mend=_mend(of, measures, cells, row["rows"]),
                **measures,
            )
        )
    return made


def _far(of: Kind, rows: pl.DataFrame) -> pl.Series:
    """Rows with a figure far from the median of the same owner, part and field."""
    names = [name for name in _PLAUSIBLE if name in of.fields]
    if not names:
        return pl.zeros(rows.height, pl.Boolean, eager=True)
    groups = ["owner", *([of.subject] if of.subject in rows.columns else [])]
    units = [name for name in ("unit", "metric") if name in of.fields]
    far = []
    for name in names:
        logs = pl.when(pl.col(name).cast(pl.Float64) > 0).then(pl.col(name).cast(pl.Float64).log10())
        far.append(((logs - logs.median().over(*groups, *units)).abs() > _DECADES).fill_null(value=False))
    return rows.select(pl.any_horizontal(far)).to_series()


def _consistent(view: View, of: Kind, otherwise: pl.DataFrame) -> dict[str, float]:
    """By owner the share of its statements with others beside them in which nobody says otherwise."""
    if not (of.by_owner and of.merged):
        return {}
    differs = otherwise.filter(pl.col("kind") == of.name).select("natural", "owner").unique()
    beside = view.disagreements(of.name).select("natural", "owner").unique()
    both = pl.concat([beside, differs]).unique()
    both = both.join(differs.with_columns(differs=pl.lit(value=True)), on=["natural", "owner"], how="left")
    return dict(both.group_by("owner").agg(1 - pl.col("differs").fill_null(value=False).mean()).iter_rows())


def _newest(view: View, of: Kind, rows: pl.DataFrame) -> dict[str, dt.date]:
    """By owner the day up to which its data reach: the newest date in them, else the day of the last upload seen."""
    if (field := DATED.get(of.name)) is not None:
        dates = rows.filter(pl.col(field) <= view.at.date()).group_by("owner").agg(pl.col(field).max()).drop_nulls()
        return dict(dates.iter_rows())
    uploads = view.table("upload").select(upload="key", day=pl.col("at").dt.date())
    days = rows.select("owner", "upload").join(uploads, on="upload", how="inner")
    return dict(days.group_by("owner").agg(pl.col("day").max()).drop_nulls().iter_rows())


def _mend(of: Kind, measures: dict[str, float | None], cells: dict[str, float], rows: int) -> Text | None:
    """What would raise the score most: the emptiest column, newer data, the doubtful rows, or what others deny."""
    taken = {name: value for name, value in measures.items() if value is not None}
    worst = min(taken, key=lambda name: taken[name])
    lack = 1 - taken[worst]
    if lack < 0.005:
        return None
    if worst == "complete":
        name = min(cells, key=lambda each: cells[each])
        label, count = of.fields[name].label, round((1 - cells[name]) * rows)
        return Text(f"补充“{label.zh}”（{count} 行为空）。", f"Fill in {label.en} (empty in {count} rows).")
    if worst == "timely":
        return Text("上传更新的数据。", "Upload newer data.")
    count = max(1, round(lack * rows))
    if worst == "plausible":
        return Text(f"核对 {count} 行可疑的数值。", f"Check {count} rows with doubtful figures.")
    return Text("与对方核对说法不一致的内容。", "Settle with the other side what the two of you state differently.")
