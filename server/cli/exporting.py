"""`export`: the graph as a dataset folder that can be loaded again, and as GraphML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema import KINDS, Field, Kind
from schema.core import escape
from schema.text import Text
from server.cli.command import argument, command, option
from server.cli.demo import mark
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl


@command(
    "export",
    zh="把图中各表写到文件夹 DIR，可再次载入。\n\n每表一个 CSV（UTF-8 带 BOM）；占位、上传记录和待归类数据留在存储中。",
    en=(
        "Write every table of the graph to the folder DIR, as the CSV files of a dataset (UTF-8 with BOM) that can be "
        "loaded again.\n\nPlaceholders, uploads, and rows of no kind yet stay in the store."
    ),
    params=[
        argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path)),
        option(
            "--graphml", zh="另存整张图为 GraphML。", en="Write the graph as GraphML, too: for Gephi, yEd, notebooks.",
            type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
        ),
    ],
)  # fmt: skip
def export(session: Session, folder: Path, graphml: Path | None) -> None:
    """Every kind that has a sheet; then the graph, if asked for."""
    with session.workspace(existing=True) as workspace:
        mark(session, workspace.view())
        folder.mkdir(parents=True, exist_ok=True)
        snapshot = workspace.snapshot()
        stubs = snapshot.table("part").filter("stub")["key"]
        written: list[list[str | int | None]] = []
        for each in KINDS.values():
            if each.sheet:
                rows = sheet(each, snapshot.table(each.name), stubs)
                file = folder / f"{each.sheet}.csv"
                rows.write_csv(file, include_bom=True)
                written.append([each.text.say(session.locale), rows.height, str(file)])
        if graphml is not None:
            from chaingraph.graph import write_graphml

            write_graphml(workspace.view(), graphml)
            written.append(["GraphML", None, str(graphml)])
    headings = [Text("表", "Table"), Text("行数", "Rows"), Text("文件", "File")]
    payload = [{"table": name, "rows": rows, "file": file} for name, rows, file in written]
    session.answer(payload, [session.say(h) for h in headings], [list(row) for row in written])


def sheet(of: Kind, rows: pl.DataFrame, stubs: pl.Series) -> pl.DataFrame:
    """Rows of a kind as the sheet of a dataset: `owner`, then its columns, placeholders left out.

    `stubs` are the keys of parts that nobody has described.
    """
    import polars as pl

    if of.stubs:
        rows = rows.filter(~pl.col("stub"))
    columns = [_written(field, stubs) for field in of.fields.values() if field.name != "stub"]
    return rows.select("owner", *columns)


def _written(field: Field, stubs: pl.Series) -> pl.Expr:
    """A column as a sheet writes it: references as people write them, no text that starts a formula."""
    import polars as pl

    from ingest.formulas import defused

    column = pl.col(field.name)
    if field.meta.ref:
        plain, prefix = _plain(column), pl.lit(None, pl.String)
        if field.meta.via:  # beside the part and the maker, a lot by its code
            plain = column
            prefix = pl.concat_str([pl.col(name).fill_null("") for name in field.meta.via], separator="/") + "/"
        elif field.meta.ref == "part":  # a number of the owner's own that nobody has described, as it was written
            prefix = pl.when(column.is_in(stubs.implode())).then(escape(pl.col("owner")) + "/")
        code = _plain(column.str.strip_prefix(prefix))
        column = pl.when(column.str.starts_with(prefix)).then(code).otherwise(plain)
    if field.dtype == pl.String:
        column = defused(column)
    return column.alias(field.name)


def _plain(key: pl.Expr) -> pl.Expr:
    """A key without its escapes: the code, or ISSUER/NUMBER."""
    for code, sign in (("%40", "@"), ("%2F", "/"), ("%25", "%")):
        key = key.str.replace_all(code, sign, literal=True)
    return key
