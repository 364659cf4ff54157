"""Worlds to write as documents and to read back, and what a document of somebody else may look like."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from chaingraph import View, Workspace
from ingest.load import load
from ingest.reading import Limits, documents
from ingest.reading.documents import Document, aasx, written
from ingest.report import Report
from ingest.writing import Row, Told, text
from schema import kind
from schema.vocabularies import ChangeCategory, Criticality

NOTICES = (
    "id,part,maker,category,description,reason,announced_on,effective_on,last_order_on,replacement,state\n"
    "PCN-1,L01/A12,S05,material,改用新材料,成本,2025-01-02,2025-06-01,,,announced\n"
    "PCN-2,L01/A13,,discontinuation,No longer made,,2025-01-02,,2025-12-31,L01/A12,\n"
)
HIDDEN = r"(^|/)P-[a-z2-7]{12}"


@contextmanager
def demo(store: Path, folder: Path) -> Iterator[Workspace]:
    """A copy of the demo consortium in `store`, with two change notices of L01."""
    shutil.copytree(store, folder / "demo")
    notices = folder / "change_notices.csv"
    notices.write_text(NOTICES, encoding="utf-8")
    with Workspace.open(f"sqlite:///{folder / 'demo' / 'demo.db'}") as workspace:
        load(workspace, [notices], by="L01")
        yield workspace


def table(view: View, name: str) -> pl.DataFrame:
    """The rows of a kind that name no pseudonym: its fields, sorted."""
    of = kind(name)
    named = pl.any_horizontal(pl.col(field).str.contains(HIDDEN).fill_null(value=False) for field in ("key", *of.refs))
    return view.table(name).filter(~named).sort("key").select(*of.fields)


@contextmanager
def taken(file: Path, folder: Path, *, administrator: bool = True) -> Iterator[tuple[View, Report]]:
    """What L01 sees after it has loaded a file into an empty store."""
    folder.mkdir()
    with Workspace.open(f"sqlite:///{folder / 'graph.db'}") as workspace:
        report = load(workspace, [file], by="L01", administrator=administrator)
        yield workspace.view("L01"), report


def rows_of(document: Document | None, sheet: str) -> list[dict[str, str]]:
    """The rows of a sheet without empty fields, as text; numbers as floats are written."""
    assert document is not None
    return sorted_rows([_said(row) for row in document.rows.get(sheet, [])])


def told_rows(rows: Told, name: str) -> list[dict[str, str]]:
    """The rows that a document is to have, in the same form; of what is only named there are none."""
    return sorted_rows([_said(row) for row in rows.rows[name] if not row.get("stub")])


def _said(row: Mapping[str, Any]) -> dict[str, str]:
    said = {name: text(value) for name, value in row.items() if value is not None and name != "stub"}
    return {name: repr(float(each)) if name in _NUMBERS else each for name, each in said.items()}


_NUMBERS = {"quantity", "duty", "value", "shape", "share", "lead_time_days", "latitude", "longitude"}


def sorted_rows(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Rows in one order."""
    return sorted(rows, key=lambda row: sorted(row.items()))


def stored(document: Document | None, folder: Path) -> None:
    """A document as the child process would leave it: every text can be written, every note told."""
    if document is not None:
        written(document, folder, Limits(), lambda _done, _total: None)


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)
_CODES = st.text("ABC0129-_.é轴/#% ", min_size=1, max_size=8).map(str.strip).filter(bool)
_DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2049, 12, 31))
_FIGURES = st.floats(1e-6, 1e9)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def worlds(draw: st.DrawFn) -> Told:
    """A few parts of two firms, what is in what, who supplies them, and what is said of them."""
    firms = [{"id": each, **draw(_some(name_zh=_WORDS, name_en=_WORDS, tier=st.integers(0, 9)))} for each in "ÄB"]
    numbers = draw(st.lists(_CODES, min_size=1, max_size=5, unique=True))
    details = _some(name_zh=_WORDS, name_en=_WORDS, part_class=_WORDS, criticality=st.sampled_from(Criticality.codes()))
    parts = [
        {"number": each, "issuer": draw(st.sampled_from("ÄB")), "stub": False, **draw(details)} for each in numbers
    ]
    codes = [f"{each['issuer']}/{each['number']}" for each in parts]
    lines = [
        {"parent": codes[i], "child": codes[j], "find_no": f"{i}.{j}", **draw(_LINE)}
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
        if draw(st.booleans())
    ]
    said: dict[str, list[Row]] = {
        name: [] for name in ("declared_value", "change_notice", "part_alias", "supplies", "lot")
    }
    for n, part in enumerate(codes):
        if draw(st.booleans()):
            said["declared_value"].append({"part": part, **draw(_FIGURE)})
            said["change_notice"].append({"part": part, "id": f"N{n}", **draw(_NOTICE)})
            said["part_alias"].append({"part": part, "organisation": "B", **draw(_ALIAS)})
            said["supplies"].append({"part": part, "supplier": "B", "customer": "Ä", **draw(_SUPPLY)})
            said["lot"].append({"part": part, "code": f"L{n}", **draw(_some(quantity=_FIGURES, produced_on=_DAYS))})
    sites = [{"id": "P1", "organisation": "B", "latitude": 31.5, "longitude": -0.25, "stub": False}]
    firm_rows = [{**each, "stub": False} for each in firms]
    said |= {"part": list(parts), "contains": list(lines), "organisation": list(firm_rows), "site": list(sites)}
    return Told("B", said, 0)


_LINE = st.fixed_dictionaries(
    {"quantity": st.one_of(st.integers(1, 99).map(float), _FIGURES), "duty": _FIGURES},
    optional={"unit": _WORDS, "k": st.integers(1, 9), "valid_from": _DAYS},
)
_FIGURE = st.fixed_dictionaries(
    {"metric": st.sampled_from(["mtbf", "b10"]), "value": _FIGURES, "unit": st.sampled_from(["h", "cycles"])},
    optional={"maker": st.just("B"), "mode": _WORDS, "shape": _FIGURES, "condition": _WORDS},
)
_NOTICE = _some(
    maker=st.just("B"), category=st.sampled_from(ChangeCategory.codes()), description=_WORDS, reason=_WORDS,
    announced_on=_DAYS, effective_on=_DAYS, last_order_on=_DAYS, replacement=st.just("B/next"),
)  # fmt: skip
_ALIAS = st.one_of(
    st.fixed_dictionaries({"number": _WORDS}), st.fixed_dictionaries({"drawing_no": _WORDS, "number": _WORDS})
)
_SUPPLY = _some(
    share=st.sampled_from([0.0, 0.25, 1.0]), lead_time_days=_FIGURES, status=st.sampled_from(["sole", "main"]),
    valid_from=_DAYS, site=st.just("P1"), alternative_exists=st.booleans(),
)  # fmt: skip

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["\ud800", "NaN", "1e999"]),
)
ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn, document: Any, pieces: int = 3) -> Any:
    """A document with some of its pieces, at any depth, replaced by anything."""
    for _ in range(pieces):
        document = _replaced(draw, document)
    return document


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        if isinstance(value, dict):
            name = draw(st.sampled_from(sorted(value)))
            return {**value, name: _replaced(draw, value[name])}
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at]), *value[at + 1 :]]
    return draw(ANYTHING)


def within(view: View, product: str) -> set[str]:
    """A part and all that is in it, as the view has it."""
    lines = view.table("contains").select("parent", "child").rows()
    found, reached = set[str](), {product}
    while reached - found:
        found |= reached
        reached = {child for parent, child in lines if parent in found}
    return found


def same_of_product(view: View, found: View, product: str, kinds: Sequence[str]) -> None:
    """Has `found` of each kind just the rows that the view has of a product and what is in it?"""
    inside = pl.Series(sorted(within(view, product)))
    about = {"part": pl.concat_str("issuer", pl.lit("/"), "number"), "contains": pl.col("parent")}
    for name in kinds:
        wanted = table(view, name).filter(about.get(name, pl.col("part")).is_in(inside.implode()))
        assert wanted.height, name
        assert wanted.equals(table(found, name)), name


def unpacked(path: Path, out: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of an AASX package, by sheet."""
    out.mkdir()
    return _tables(aasx.parse(path, out, Limits(), lambda _done, _total: None), out)


def parsed(path: Path, out: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of a document in JSON, by sheet."""
    out.mkdir()
    said = documents.parse(path, out, Limits(), lambda _done, _total: None)
    assert said is not None
    return _tables(said, out)


def _tables(said: Mapping[str, Any], out: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {each["sheet"]: pl.read_ipc(out / each["parts"][0]).rows() for each in said["tables"]}
