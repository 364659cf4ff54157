"""Rows of a kind as a viewer sees them, answering by column: what every generated GraphQL type reads from."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from chaingraph import View
from schema import BASE, Kind, kind
from server.api import opaque, touched
from server.api.naming import has_names, shown_name, type_name
from server.api.sources import Indices, Picked, Source, Values


class KindRows(Source):
    """Some rows of `view.table(kind)`, or all: leaves from its columns, references as rows of other kinds."""

    def __init__(self, view: View, of: Kind, places: Indices | None = None) -> None:
        super().__init__(view.count(of.name) if places is None else len(places))
        self.view = view
        self.kind = of
        self.places = places
        self.type_name = type_name(of)
        self._noted = False

    def take(self, indices: Indices) -> Source:
        """Some of the rows."""
        return KindRows(self.view, self.kind, indices if self.places is None else self.places[indices])

    def where(self) -> Indices:
        """The rows' places in the table."""
        return np.arange(len(self)) if self.places is None else self.places

    def series(self, name: str) -> pl.Series:
        """A column of the table, for these rows."""
        if not self._noted:
            self._noted = True
            touched.rows(self.view, self.kind.name, self.places)
        column = self.view.table(self.kind.name)[name]
        return column if self.places is None else column[self.places]  # Series.gather costs ten times as much

    def values(self, name: str) -> list[Any]:
        """The values of a column as clients get them: several codes in a text as a list."""
        declared = self.kind.fields.get(name)
        column = self.series(name)
        return (column if declared is None or declared.meta.codes is None else column.str.split(";")).to_list()

    def make(self, name: str) -> Values:
        """A leaf, a reference, the id, or the upload that a row came with."""
        if name == "id":
            return opaque.of(self.view).ids(self.kind.name, self.series("key"))
        if name in self.kind.refs:
            target = kind(self.kind.refs[name])
            return Picked(KindRows(self.view, target), self.view.ref(self.kind.name, name)[self.where()])
        if name == "upload":
            places = self.view.locate("upload", self.series("upload").fill_null(""))
            return Picked(KindRows(self.view, kind("upload")), places)
        for field in (*self.kind.fields, *BASE):
            if shown_name(field) == name:
                return self.values(field)
        raise AttributeError(name)

    def labels(self, name: str, locale: str) -> list[str | None]:
        """The labels of a coded field in one language."""
        vocabulary = self.kind.fields[name].vocabulary
        texts = {} if vocabulary is None else {m.value: m.text.say(locale) for m in vocabulary}
        return [texts.get(code) for code in self.plain(name)]

    def names(self, locale: str) -> list[str | None]:
        """The names in one language, in the other where there is none."""
        first, second = ("name_zh", "name_en") if locale == "zh" else ("name_en", "name_zh")
        return pl.select(pl.coalesce(self.series(first), self.series(second))).to_series().to_list()

    def titles(self, locale: str) -> list[str]:
        """What a person sees in place of the row: its name, or its key."""
        keys = self.series("key").to_list()
        if not has_names(self.kind):
            return keys
        return [name or key for name, key in zip(self.names(locale), keys, strict=True)]
