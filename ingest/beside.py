"""What a sheet is looked at beside: the parts of the same load, and the graph as the loader sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from chaingraph import View
from ingest import cleaning
from ingest.headers import Reading
from ingest.reading import Table
from ingest.resolve import Resolver
from schema.vocabularies import AgeUnit

_LOADED = {"text": pl.String(), "age_unit": pl.String()}
_SHOWN = 30


@dataclass
class Beside:
    """The parts that come with the load (`loaded`: as written, and the unit of their ages), and whose view is asked."""

    view: View | None = None
    by: str = ""
    administrator: bool = True
    loaded: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_LOADED))

    def bring(self, sheets: Iterable[tuple[Table, Reading | None]]) -> None:
        """Take in the parts, and the other numbers of parts, that these sheets describe."""
        pieces = [self.loaded]
        for table, read in sheets:
            if read is None or read.kind.name not in {"part", "part_alias"}:
                continue
            unit = read.column("age_unit")
            units = None
            if unit is not None:
                units = cleaning.codes(table.cells[unit.position], AgeUnit.spellings()).values
            for name in ("number", "drawing_no"):
                if (column := read.column(name)) is not None:
                    text = cleaning.code_text(table.cells[column.position])
                    given = units if units is not None else pl.repeat(None, len(text), dtype=pl.String, eager=True)
                    pieces.append(pl.DataFrame({"text": text, "age_unit": given}))
        self.loaded = pl.concat(pieces).drop_nulls("text").unique("text", keep="first", maintain_order=True)

    @cached_property
    def _resolver(self) -> Resolver | None:
        return None if self.view is None else Resolver(self.view, self.by, self.administrator)

    def parts(self, written: pl.Series) -> pl.DataFrame:
        """What the distinct part references in a column mean (`text`, `key`, `age_unit`, `part_class`, `loaded`).

        `key` is null for what is nothing that the loader sees.
        """
        texts = cleaning.code_text(written).unique(maintain_order=True).drop_nulls()
        asked = pl.DataFrame({"text": texts}, schema={"text": pl.String})
        asked = asked.join(self.loaded, on="text", how="left", maintain_order="left")
        asked = asked.with_columns(loaded=pl.col("text").is_in(self.loaded["text"].implode()))
        if self._resolver is None:
            nothing = pl.lit(None, pl.String)
            return asked.with_columns(key=nothing, part_class=nothing)
        known = self._resolver.known("part").select("key", "part_class", _own="age_unit")
        meant = self._resolver.parts(texts).join(known, on="key", how="left")
        found = asked.join(meant, on="text", how="left", maintain_order="left")
        return found.with_columns(age_unit=pl.coalesce("age_unit", "_own")).drop("_own")

    @cached_property
    def knows_parts(self) -> bool:
        """Whether there are parts of the loader's own to compare with."""
        return bool(self.own_parts()) or bool(self.loaded.height)

    def own_parts(self) -> list[tuple[str, str]]:
        """Key and name of some of the loader's own parts, by number."""
        if self._resolver is None:
            return []
        known = self._resolver.known("part")
        mine = known.filter((pl.col("owner") == self.by) & ~pl.col("stub")).sort("key").head(_SHOWN)
        return [(key, zh or en or key) for key, zh, en in mine.select("key", "name_zh", "name_en").iter_rows()]

    def customers(self) -> list[str]:
        """Whom the loader supplies, as far as it says so."""
        if self._resolver is None:
            return []
        supplies = self._resolver.known("supplies").filter(pl.col("owner") == self.by)
        return supplies["customer"].drop_nulls().unique().sort().head(_SHOWN).to_list()

    def ages_elsewhere(self, parts: pl.Series, classes: pl.Series) -> float | None:
        """The median age in hours that is known of these parts, else of parts of these classes; None for none."""
        if self.view is None:
            return None
        known = self.view.table("part").select(part="key", part_class="part_class", _own="age_unit")
        lives = self.view.table("life_record").select("part", "age", "unit").join(known, on="part", how="left")
        lives = lives.filter(pl.coalesce("unit", "_own", pl.lit("h")) == "h")
        for column, wanted in (("part", parts), ("part_class", classes)):
            ages = lives.filter(pl.col(column).is_in(wanted.drop_nulls().implode()))["age"]
            if len(ages):
                median = ages.median()
                return float(median) if isinstance(median, float | int) else None
        return None
