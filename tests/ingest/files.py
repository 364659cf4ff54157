"""Files for tests, good and hostile, made on the spot."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

from chaingraph import Workspace
from chaingraph.changes import ChangeSet
from ingest.load import load
from ingest.reading import Child, Limits
from ingest.report import Report
from schema import kind
from schema.vocabularies import Aspects

Cell = str | float | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def column(number: int) -> str:
    """The letters of a column, from 0."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell(reference: str, value: Cell, style: int = 0) -> str:
    """One cell as a worksheet has it."""
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]] | str], *, hidden: Sequence[str] = ()) -> Path:
    """Write an XLSX workbook: by sheet its rows of cells, or their XML. Style 1 is a day, style 2 a percentage."""
    bodies = []
    for rows in sheets.values():
        if isinstance(rows, str):
            bodies.append(rows)
            continue
        lines = []
        for r, row in enumerate(rows, 1):
            cells = "".join(cell(f"{column(c)}{r}", value) for c, value in enumerate(row) if value is not None)
            lines.append(f'<row r="{r}">{cells}</row>')
        bodies.append("".join(lines))
    states = [' state="hidden"' if name in hidden else "" for name in sheets]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"{state}/>'
        for i, (name, state) in enumerate(zip(sheets, states, strict=True), 1)
    )
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    styles = '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="10" applyNumberFormat="1"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{links}'
            f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{_MAIN}"><fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>'
            f"<cellStyleXfs><xf/></cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>",
        )
        for i, body in enumerate(bodies, 1):
            archive.writestr(
                f"xl/worksheets/sheet{i}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
            )
    return path


@functools.cache
def parser() -> Child:
    """The child process that parses files for all tests of a run that do not need one of their own."""
    child = Child(Limits())
    atexit.register(child.close)
    return child


def text(folder: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    """Write a text file."""
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def take(workspace: Workspace, folder: Path, name: str, content: str, **how: object) -> Report:
    """Load one CSV file of that name and content."""
    return load(workspace, [text(folder, name, content)], **how)  # type: ignore[arg-type]


def codes(report: Report) -> list[tuple[str, int | None, str | None, str | None]]:
    """Errors and warnings as (code, row, column, value)."""
    return [(f.code, f.row, f.column, f.value) for f in report.findings if f.severity != "info"]


@contextmanager
def copied(store: Path, folder: Path) -> Iterator[Workspace]:
    """A workspace on a copy of a store's folder: filled once, used by many tests."""
    shutil.copytree(store, folder / "copy")
    with Workspace.open(f"sqlite:///{folder}/copy/graph.db") as workspace:
        yield workspace


def shared(workspace: Workspace, *owners: str) -> None:
    """Have these organisations share all they state with everyone."""
    of = kind("agreement")
    terms = {
        "version": 1, "grantee": "everyone", "aspects": ";".join(Aspects.codes()), "purposes": "quality",
        "start": dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "end": dt.datetime(2099, 1, 1, tzinfo=dt.UTC),
        "state": "accepted",
    }  # fmt: skip
    rows = of.frame(pl.DataFrame([{"id": f"AG-{owner}", "owner": owner, **terms} for owner in owners]))
    workspace.submit(ChangeSet({"agreement": rows.with_columns(key=of.stored_key())}))
