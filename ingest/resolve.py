"""From what a sheet writes of a thing to its natural key: within the load, then within what the uploader may see.

What is found in neither gets the key of a stub of the uploader's own, so that no answer tells whether somebody else's
thing exists. An administrator sees everything and may name things plainly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from chaingraph import View
from chaingraph.masking import PSEUDONYM
from schema import Kind, kind
from schema.core import escape, escape_text

_NAMES = ("name_zh", "name_en", "uscc")
_SHOWN = 5


@dataclass
class Resolver:
    """What references can mean: the rows of the load so far, and the view of who loads."""

    view: View
    by: str
    administrator: bool
    _loaded: dict[str, pl.DataFrame] = field(default_factory=dict)
    _known: dict[str, pl.DataFrame] = field(default_factory=dict)

    def add(self, of: Kind, rows: pl.DataFrame) -> None:
        """Rows of a kind, with their stored keys, that references may mean."""
        self._loaded[of.name] = rows.with_columns(of.natural_of().alias("key"))
        self._known.pop(of.name, None)

    def known(self, name: str) -> pl.DataFrame:
        """What a reference to a kind can mean, one row a natural key (`key`); rows of the load come before others."""
        if name not in self._known:
            columns = ["key", "owner", *kind(name).fields]
            named = ~pl.col("key").str.contains(PSEUDONYM.pattern)  # a pseudonym is nobody's name
            tables = [self.view.table(name).select(columns).filter(named)]
            if name in self._loaded:
                tables.insert(0, self._loaded[name].select(columns))
            self._known[name] = pl.concat(tables).unique("key", keep="first", maintain_order=True)
        return self._known[name]

    def resolve(self, of: Kind, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
        """`rows` with natural keys in place of what was written, and by field what could not be resolved.

        The latter is null in the rows; `_at` is the row number in `rows`, `value` what was written, and `candidates`
        the keys that it might be (null where it is no key and no stub can be made).
        """
        if of.name in of.refs.values():
            self.add(of, rows.with_columns(of.stored_key().alias("key")))
        wrong: dict[str, pl.DataFrame] = {}
        for each in sorted(of.refs, key=lambda name: len(of.fields[name].meta.via)):
            target, via = of.refs[each], of.fields[each].meta.via
            alone = target != "part" or rows["owner"].n_unique() <= 1
            asked = rows.select(
                pl.col(each).alias("text"),
                *([] if alone else ["owner"]),
                *[pl.col(name).alias(f"_{i}") for i, name in enumerate(via)],
            )
            distinct = asked.filter(pl.col("text").is_not_null()).unique(maintain_order=True)
            if not distinct.height:
                continue
            if target == "part" and alone:
                distinct = distinct.with_columns(owner=pl.lit(rows["owner"][0]))
            answers = self._answers(target, distinct)
            found = asked.join(answers, on=asked.columns, how="left", nulls_equal=True, maintain_order="left")
            failed = found.with_row_index("_at").filter(pl.col("text").is_not_null() & pl.col("key").is_null())
            if failed.height:
                wrong[each] = failed.select("_at", "candidates", value="text")
            rows = rows.with_columns(found["key"].alias(each))
        return rows, wrong

    def parts(self, texts: pl.Series) -> pl.DataFrame:
        """What distinct part references of the loader mean (`text`, `key`): null for several, and what is not seen."""
        found = self._parts(pl.DataFrame({"text": texts, "owner": pl.repeat(self.by, len(texts), eager=True)}))
        there = pl.col("key").is_in(self.known("part")["key"].implode())
        return found.select("text", key=pl.when(there).then("key"))

    def _answers(self, target: str, asked: pl.DataFrame) -> pl.DataFrame:
        """`asked` with the columns `key` and `candidates`."""
        if target == "part":
            return self._parts(asked)
        if target == "lot":
            return self._lots(asked)
        if target == "mode":
            return self._modes(asked)
        return self._things(kind(target), asked)

    def _things(self, target: Kind, asked: pl.DataFrame) -> pl.DataFrame:
        """Organisations, sites, mechanisms, consortia: by code, else by a name that only one has, else a stub."""
        known = self.known(target.name)
        asked = asked.with_columns(_plain=escape(pl.col("text")), _called=pl.col("text").str.normalize("NFKC"))
        exact = known.select(_plain="key", _exact="key")
        names = [
            known.filter(~pl.col("stub")).select(_called=pl.col(name).str.normalize("NFKC"), _name="key").drop_nulls()
            for name in _NAMES
            if name in target.fields and target.stubs
        ]
        named = pl.concat(names or [pl.DataFrame(schema={"_called": pl.String(), "_name": pl.String()})])
        named = named.unique().group_by("_called").agg(pl.col("_name").first(), _n=pl.len()).filter(pl.col("_n") == 1)
        stub = pl.col("_plain")
        if not self.administrator:
            stub = pl.when(stub == escape_text(self.by)).then(stub).otherwise(escape_text(self.by) + ":" + stub)
        found = asked.join(exact, on="_plain", how="left").join(named, on="_called", how="left")
        key = pl.coalesce("_exact", "_name", stub if target.stubs else pl.lit(None, pl.String))
        found = found.select(*asked.columns, key=key, candidates=pl.lit(None, pl.String))
        return found.drop("_plain", "_called")

    def _parts(self, asked: pl.DataFrame) -> pl.DataFrame:
        """A number: the owner's own, ISSUER/NUMBER, the only one visible, an alias (the owner's, else that of anybody
        whose alias the loader sees: its customer, the maker), else a stub.
        """
        keys = self.known("part").select("key", found="key")
        number, owner = escape(pl.col("text")), escape(pl.col("owner"))
        issuer, rest = pl.col("text").str.extract(r"^([^/]+)/"), pl.col("text").str.extract(r"^[^/]+/(.+)$")
        found = asked.with_columns(
            _own=pl.concat_str(owner, pl.lit("/"), number),
            _full=pl.concat_str(escape(issuer).replace("", None), pl.lit("/"), escape(rest)),
        )
        for i, column in enumerate(("_own", "_full", "text")):
            found = found.join(keys.rename({"found": f"_{i}"}), left_on=column, right_on="key", how="left")
        found = found.with_columns(key=pl.coalesce("_0", "_1", "_2"), candidates=pl.lit(None, pl.String))
        missing = found.filter(pl.col("key").is_null())
        there = found.filter(pl.col("key").is_not_null()).select("text", "owner", "key", "candidates")
        return pl.concat([there, self._other_parts(missing)]) if missing.height else there

    def _other_parts(self, missing: pl.DataFrame) -> pl.DataFrame:
        """What a part's number means that is no key: the only one visible, an alias of the owner's, the only part that
        others whose aliases are visible know by it, else a stub. What is masked is not meant by anything.
        """
        described = self.known("part").filter(~pl.col("stub")).select("key", text="number")
        found = missing.join(_only(described, ["text"], "_by_number"), on="text", how="left")
        aliases = self.known("part_alias").select("number", "drawing_no", owner="organisation", key="part")
        aliases = pl.concat(
            [aliases.select("key", "owner", text=pl.col(name)) for name in ("number", "drawing_no")]
        ).drop_nulls()
        aliases = aliases.filter(~pl.col("key").str.contains(PSEUDONYM.pattern))
        found = found.join(_only(aliases, ["text", "owner"], "_by_alias"), on=["text", "owner"], how="left")
        found = found.join(_only(aliases.select("key", "text"), ["text"], "_by_other"), on="text", how="left")
        several = pl.coalesce("_by_number_several", "_by_alias_several", "_by_other_several")
        other = pl.when(pl.coalesce("_by_number_several", "_by_alias_several").is_null()).then("_by_other")
        stub = pl.col("_own")
        if self.administrator:
            issuer = escape(pl.col("text").str.extract(r"^([^/]+)/"))
            issuers = self.known("organisation")["key"]
            stub = pl.when(issuer.is_in(issuers.implode())).then("_full").otherwise(stub)
        found = self._of_named_issuer(found)
        unknown = pl.when(several.is_null()).then(pl.coalesce("_by_issuer", stub))
        key = pl.coalesce("_by_number", "_by_alias", other, unknown)
        return found.select("text", "owner", key=key, candidates=several)

    def _of_named_issuer(self, asked: pl.DataFrame) -> pl.DataFrame:
        """`asked` with `_by_issuer`: the part that ISSUER/NUMBER means where ISSUER is what a firm is called."""
        asked = asked.with_columns(
            _issuer=pl.col("text").str.extract(r"^([^/]+)/"), _rest=escape(pl.col("text").str.extract(r"^[^/]+/(.+)$"))
        )
        issuers = asked.select(text="_issuer").drop_nulls().unique()
        named = self._things(kind("organisation"), issuers).select(_issuer="text", _firm="key")
        full = asked.join(named, on="_issuer", how="left", maintain_order="left").with_columns(
            _key=pl.concat_str("_firm", pl.lit("/"), "_rest")
        )
        keys = self.known("part").select(_key="key", _by_issuer="key")
        return full.join(keys, on="_key", how="left", maintain_order="left").drop("_issuer", "_rest", "_firm", "_key")

    def _modes(self, asked: pl.DataFrame) -> pl.DataFrame:
        """A mode of the row's part: by code, else by a name that only one of the part's modes has, else a stub."""
        known = self.known("mode")
        full = pl.concat_str("_0", pl.lit("/"), escape(pl.col("text")))
        found = asked.with_columns(_key=full)
        for name, column in (("_1", "_key"), ("_2", "text")):
            found = found.join(
                known.select("key", pl.col("key").alias(name)), left_on=column, right_on="key", how="left"
            )
        names = pl.concat([known.select("key", _0="part", text=pl.col(n)) for n in ("name_zh", "name_en")]).drop_nulls()
        found = found.join(_only(names, ["text", "_0"], "_3"), on=["text", "_0"], how="left")
        return found.select(
            *asked.columns, key=pl.coalesce("_1", "_2", "_3", "_key"), candidates=pl.lit(None, pl.String)
        )

    def _lots(self, asked: pl.DataFrame) -> pl.DataFrame:
        """A lot of the row's part and maker: by code; without a maker the only one of that code, else a stub."""
        known = self.known("lot")
        code = escape(pl.col("text"))
        full = pl.concat_str(pl.col("_0"), pl.lit("/"), pl.col("_1").fill_null(""), pl.lit("/"), code)
        found = asked.with_columns(_key=full)
        for name, column in (("_a", "_key"), ("_b", "text")):
            found = found.join(
                known.select("key", pl.col("key").alias(name)), left_on=column, right_on="key", how="left"
            )
        codes = _only(known.select("key", text="code", _0="part"), ["text", "_0"], "_c")
        found = found.join(codes, on=["text", "_0"], how="left")
        only = pl.when(pl.col("_1").is_null()).then("_c")
        return found.select(
            *asked.columns, key=pl.coalesce("_a", "_b", only, "_key"), candidates=pl.lit(None, pl.String)
        )


def _only(named: pl.DataFrame, on: list[str], name: str) -> pl.DataFrame:
    """For each way to write it, the one key it stands for (`name`), or the several it might (`name`_several)."""
    grouped = named.unique().group_by(on).agg(pl.col("key").sort())
    one = pl.col("key").list.len() == 1
    shown = pl.col("key").list.head(_SHOWN).list.join(", ")
    return grouped.select(
        *on,
        pl.when(one).then(pl.col("key").list.first()).alias(name),
        pl.when(~one).then(shown).alias(f"{name}_several"),
    )
