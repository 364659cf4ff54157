"""Typed rows to rows that may be stored: references, declarations, keys, rights, what is stored already, rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from chaingraph import View
from chaingraph.snapshot import Snapshot
from ingest import agreements, bom, stubs
from ingest.identity import compared, completed, with_ids, without_duplicates
from ingest.report import Finding, Report
from ingest.resolve import Resolver
from ingest.sheets import Loader, Source, stated, typed
from schema import KINDS, Kind, Text
from schema.core import escape_text
from schema.expressions import explain, violations
from schema.rules import Rule, changed


@dataclass
class Checker:
    """The checks of one load against one snapshot; what is wrong goes to the report, what is right to `rows`.

    `rows` are the new and changed rows by kind, with stored keys, `_sheet` and `_state`; `stubs` what they need
    besides.
    """

    snapshot: Snapshot
    view: View
    loader: Loader
    sources: list[Source]
    uploads: dict[int, str]
    """Upload id by the source's number."""
    report: Report
    replacing: str | None = None
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    stubs: dict[str, pl.DataFrame] = field(default_factory=dict)
    kept: dict[str, pl.Series] = field(default_factory=dict)
    """Keys of all rows that were taken, those that were stored already among them."""

    def run(self) -> None:
        """Check everything, things before what refers to them."""
        resolver = Resolver(self.view, self.loader.by, self.loader.administrator)
        for of in KINDS.values():
            mine = [source for source in self.sources if source.kind is of]
            if not mine:
                continue
            rows = pl.concat([typed(source, self.loader, self.report) for source in mine])
            if of.name == "part" and (bills := [s for s in mine if s.table.facet == bom.PARTS]):
                rows = self._undescribed(rows, bills, resolver)
            rows = self._checked(of, rows, mine, resolver)
            resolver.add(of, rows)
            self._compare(of, rows, mine)
        self.stubs = stubs.needed(self.rows, self.snapshot)
        if self._follow_rules():
            self.stubs = stubs.needed(self.rows, self.snapshot)
        self._report_stubs()
        for source in self.sources:
            if source.kind is not None:
                self._count(source)

    def _undescribed(self, rows: pl.DataFrame, bills: list[Source], resolver: Resolver) -> pl.DataFrame:
        """Without the parts that bills of materials name and that are known already."""
        leaving = self.snapshot.table("part").filter(pl.col("upload") == pl.lit(self.replacing, pl.String))["key"]
        left = bom.undescribed(rows, {source.number for source in bills}, resolver, leaving)
        for source in bills:
            mine = pl.col("_sheet") == source.number
            self.report.count(source.name, "part").same += rows.filter(mine).height - left.filter(mine).height
        return left

    def _checked(self, of: Kind, rows: pl.DataFrame, sources: list[Source], resolver: Resolver) -> pl.DataFrame:
        """The rows of a kind that are good by themselves, with key and upload."""
        if of.name == "life_record":
            rows = with_ids(rows, of)
        if of.key == ("id",) and of.stubs and not self.loader.administrator:
            rows = rows.with_columns(id=self._named_apart(of, rows["id"]))
        if of.name == agreements.NAME:
            rows = agreements.prepared(rows, resolver)
        rows, wrong = resolver.resolve(of, rows)
        bad = rows["_bad"]
        for name, places in wrong.items():
            self._report_unresolved(of, name, rows, places, sources)
            bad = bad.scatter(places["_at"], values=True)
        bad = self._report_violations(of, rows, bad, wrong, sources)
        uploads = pl.col("_sheet").replace_strict(self.uploads, return_dtype=pl.String)
        rows = rows.with_columns(key=of.stored_key(), upload=uploads, _bad=bad)
        return without_duplicates(rows.filter(~bad), of, sources, self.report).filter(~pl.col("_bad"))

    def _report_unresolved(
        self, of: Kind, name: str, rows: pl.DataFrame, places: pl.DataFrame, sources: list[Source]
    ) -> None:
        at = rows.select("_sheet", "row")[places["_at"]].hstack(places)
        for source in sources:
            mine = at.filter(pl.col("_sheet") == source.number)
            column = _heading(source, name)
            several = mine.filter(pl.col("candidates").is_not_null()).select("row", "value", "candidates")
            self.report.add_rows("reference.ambiguous", several, file=source.name, column=column)
            none = mine.filter(pl.col("candidates").is_null()).select("row", "value")
            label = _called(KINDS[of.refs[name]])
            self.report.add_rows("reference.unknown", none, file=source.name, column=column, kind=label)

    def _report_violations(
        self, of: Kind, rows: pl.DataFrame, bad: pl.Series, wrong: dict[str, pl.DataFrame], sources: list[Source]
    ) -> pl.Series:
        """`bad` with the rows that break their declaration."""
        broken = violations(of, rows)
        if not broken.height:
            return bad
        # an empty cell that could not be read, or resolved, has been reported already
        said = (pl.col("code") == "value.missing") & pl.col("at").is_in(bad.arg_true().implode())
        said |= (pl.col("code") == "value.missing") & pl.col("column").is_in(list(wrong))
        # and what is wrong with a row as a whole is only said when its cells are right
        of_cells = pl.col("code").str.starts_with("value.")
        wrong_cells = pl.concat([bad.arg_true(), broken.filter(of_cells)["at"]]).unique()
        broken = broken.filter(~said & (of_cells | ~pl.col("at").is_in(wrong_cells.implode())))
        places = rows.select("_sheet", "row")[broken["at"]].hstack(broken)
        for (sheet, name, code, sign, limit), group in places.group_by(
            ["_sheet", "column", "code", "sign", "limit"], maintain_order=True
        ):
            source = next(s for s in sources if s.number == sheet)
            values = rows[str(name)].gather(group["at"]).cast(pl.String)
            self.report.add_worded(
                str(code),
                "error",
                *explain(of, str(code), str(sign), str(limit)),
                group.select("row", value=values),
                file=source.name,
                column=_heading(source, str(name)),
            )
        return bad.scatter(broken["at"].unique(), values=True)

    def _named_apart(self, of: Kind, ids: pl.Series) -> pl.Series:
        """What things that the loader does not see are called: in a name space of its own, as references to them are,
        so that no answer tells whether there is another of that name.
        """
        seen = pl.concat([self.view.table(of.name).select("id").to_series(), pl.Series("id", [self.loader.by])])
        there = ids.is_in(seen.implode()) | ids.is_null()
        return ids.zip_with(there, pl.select(pl.lit(f"{self.loader.by}:") + pl.lit(ids)).to_series())

    def _compare(self, of: Kind, rows: pl.DataFrame, sources: list[Source]) -> None:
        """Keep what is new or changed and the loader's to change."""
        stored = self.snapshot.table(of.name)
        said = {source.number: stated(source) for source in sources}
        anybody = self.loader.administrator and not of.by_owner
        rows = completed(rows, stored, of, said, of_anybody=anybody)
        rows = compared(agreements.continued(rows, stored) if of.name == agreements.NAME else rows, stored, of)
        if not of.by_owner:
            rows = self._allowed(of, rows, sources)
        if of.name == agreements.NAME:
            rows = self._immutable(rows, stored, sources)
        same = rows.filter(pl.col("_state") == "same")
        if of.name == "life_record":
            self._warn_of_equal(same, sources)
        for number, count in same.group_by("_sheet").len().iter_rows():
            source = next(s for s in sources if s.number == number)
            self.report.count(source.name, of.name).same += count
        self.kept[of.name] = rows["key"]
        self._tell_contradicting(of, rows.filter(pl.col("_state") != "same"), sources)
        moved = pl.col("_upload") == pl.lit(self.replacing, pl.String)
        self.rows[of.name] = rows.filter((pl.col("_state") != "same") | moved.fill_null(value=False))

    def _allowed(self, of: Kind, rows: pl.DataFrame, sources: list[Source]) -> pl.DataFrame:
        """Without the changes that are not the loader's to make. What nobody has described, anybody may describe."""
        theirs = pl.col("_owner").is_not_null() & ~pl.col("_stub").fill_null(value=False)
        if self.loader.administrator:
            named = [s.number for s in sources if s.reading and s.reading.owner is not None]
            plain = ~pl.col("_sheet").is_in(named)
            return rows.with_columns(owner=pl.when(theirs & plain).then("_owner").otherwise("owner"))
        own = pl.col("key") == self.loader.by if of.name == "organisation" else pl.lit(value=False)
        forbidden = theirs & (pl.col("_owner") != self.loader.by) & (pl.col("_state") == "changed") & ~own
        if of.name == "part":  # whether another issuer has described it is not told
            described = self.view.table(of.name).filter(~pl.col("stub"))["key"]
            unseen = ~rows["key"].is_in(described.implode())
            others = ~pl.col("issuer").str.contains(f"^{re.escape(escape_text(self.loader.by))}(:|$)")
            forbidden = pl.when(unseen).then(others).otherwise(forbidden)
            rows = rows.with_columns(_owner=pl.when(unseen).then("issuer").otherwise("_owner"))
        elif of.name == "member":  # whether somebody is a member, only its leader tells
            consortia = self._after("consortium").select("leader", consortium="key")
            rows = rows.join(consortia, on="consortium", how="left", maintain_order="left")
            forbidden = pl.col("leader") != escape_text(self.loader.by)
            rows = rows.with_columns(_owner=pl.col("leader"))
        refused = rows.filter(forbidden)
        for source in sources:
            mine = refused.filter(pl.col("_sheet") == source.number).select("row", what="key", owner="_owner")
            self.report.add_rows("row.not_yours", mine, file=source.name)
        return rows.filter(~forbidden).select(pl.exclude("leader"))

    def _immutable(self, rows: pl.DataFrame, stored: pl.DataFrame, sources: list[Source]) -> pl.DataFrame:
        """Without what no file may do to an agreement."""
        wrong = list(agreements.refused(rows, stored, administrator=self.loader.administrator))
        for code, found in wrong:
            for source in sources:
                mine = found.filter(pl.col("_sheet") == source.number).select("row", agreement="key")
                self.report.add_rows(code, mine, file=source.name)
        return rows.filter(~pl.col("key").is_in(pl.concat([found["key"] for _, found in wrong]).implode()))

    def _tell_contradicting(self, of: Kind, rows: pl.DataFrame, sources: list[Source]) -> None:
        """Where another owner whom the loader sees states the same thing otherwise: cell by cell, and how many rows."""
        if not (of.by_owner and of.merged and rows.height):
            return
        fields = [name for name in of.fields if name not in {*of.key, "stub"}]
        mine = rows.select("_sheet", "row", "owner", *fields, natural=of.natural_of())
        theirs = self.view.stated(of.name).select(
            natural=of.natural_of(), _by="owner", **{f"_{name}": pl.col(name) for name in fields}
        )
        both = mine.join(theirs, on="natural", how="inner").filter(pl.col("owner") != pl.col("_by"))
        wrong = []
        for name in fields:
            differs = both.filter(pl.col(name) != pl.col(f"_{name}"))
            for source in sources:
                here = differs.filter(pl.col("_sheet") == source.number)
                cells = here.select("row", value=pl.col(name).cast(pl.String), other=pl.col(f"_{name}"), owner="_by")
                self.report.add_rows("row.contradicts", cells, file=source.name, column=_heading(source, name))
            wrong.append(differs.select("_sheet", "row"))
        for number, count in pl.concat(wrong).unique().group_by("_sheet").len().iter_rows():
            source = next(s for s in sources if s.number == number)
            self.report.count(source.name, of.name).contradicting = count

    def _warn_of_equal(self, same: pl.DataFrame, sources: list[Source]) -> None:
        nameless = same.filter(pl.col("id").str.starts_with("r:") & pl.col("serial").is_null())
        other = nameless.filter(pl.col("_upload") != pl.col("upload"))
        for number, count in other.group_by("_sheet", maintain_order=True).len().iter_rows():
            source = next(s for s in sources if s.number == number)
            code = "life_record.repeated"
            self.report.add_rows(
                code, other.filter(pl.col("_sheet") == number).select("row").head(1), file=source.name, count=count
            )

    def _follow_rules(self) -> bool:
        """Run the rules on the tables as they would be; refuse the rows of this load that break one that is an error.

        True if any was refused.
        """
        before = {name: rows.height for name, rows in self.rows.items() if rows.height}
        rules = changed(set(before))
        tables = {name: self._after(name) for name in {n for each in rules for n in each.needs}}
        for rule in rules:
            found = rule.check(tables)
            for name in found["kind"].unique(maintain_order=True).to_list():
                if name in self.rows:
                    self._break(rule, name, found.filter(pl.col("kind") == name))
        return any(self.rows[name].height < height for name, height in before.items())

    def _after(self, name: str) -> pl.DataFrame:
        stored, columns = self.view.stated(name), list(KINDS[name].schema)
        news = [t[name].select(columns) for t in (self.rows, self.stubs) if name in t and t[name].height]
        if not news:
            return stored
        fresh = pl.concat(news)
        kept = (
            stored.join(fresh.select("key"), on="key", how="anti", maintain_order="left") if stored.height else stored
        )
        return pl.concat([kept, fresh])

    def _break(self, rule: Rule, name: str, found: pl.DataFrame) -> None:
        rows = self.rows[name]
        places = found.join(rows.select("key", "_sheet", "row"), on="key", how="inner").sort("_sheet", "row")
        for number in places["_sheet"].unique(maintain_order=True).to_list():
            source = next(s for s in self.sources if s.number == number)
            mine = places.filter(pl.col("_sheet") == number)
            rest = max(0, mine.height - self.report.shown)
            for i, each in enumerate(mine.head(self.report.shown).iter_rows(named=True), 1):
                filled = {"value": each["value"], "detail": each["detail"]}
                self.report.add(
                    Finding(
                        rule.severity, rule.code, rule.text.format(**filled), rule.remedy.format(**filled),
                        source.name, each["row"], _heading(source, each["column"]), each["value"],
                        rest if i == self.report.shown else 0,
                    )
                )  # fmt: skip
        if rule.severity == "error":
            self.rows[name] = rows.join(places.select("key"), on="key", how="anti", maintain_order="left")

    def _report_stubs(self) -> None:
        """List the placeholders, each where it is first referred to; the loader itself is no news."""
        for name, rows in self.stubs.items():
            told = rows.filter(pl.col("key") != self.loader.by) if name == "organisation" else rows
            for source in self.sources:
                mine = told.filter(pl.col("_sheet") == source.number)
                for column in mine["_column"].unique(maintain_order=True).to_list():
                    some = mine.filter(pl.col("_column") == column)
                    values = some.select("row", value=KINDS[name].natural_of())
                    heading = _heading(source, column)
                    self.report.add_rows(
                        "reference.stub", values, file=source.name, column=heading, kind=_called(KINDS[name])
                    )

    def _count(self, source: Source) -> None:
        assert source.kind is not None
        counts = self.report.count(source.name, source.kind.name)
        mine = self.rows[source.kind.name].filter(pl.col("_sheet") == source.number)["_state"]
        counts.read = source.table.cells.height
        counts.new, counts.changed = int((mine == "new").sum()), int((mine == "changed").sum())
        counts.refused = counts.read - counts.new - counts.changed - counts.same


def _heading(source: Source, field_name: str) -> str:
    """The heading of a field's column as the file has it, else the field's own name."""
    column = source.reading.column(field_name) if source.reading else None
    return column.heading if column else field_name


def _called(of: Kind) -> Text:
    """What a thing of a kind is called inside a sentence."""
    return Text(of.text.zh, of.text.en.lower())
