"""`exchange`: what an organisation may see as a document of an interchange standard."""

from __future__ import annotations

from pathlib import Path

import click

from schema import kind
from schema.text import Text
from server.cli.command import argument, command, option
from server.cli.demo import mark
from server.cli.session import Session

FORMATS = ("aas", "aasx", "catena-x", "cyclonedx", "omts")


@command(
    "exchange",
    zh=(
        "按交换标准 FORMAT 写出某组织可见的数据：aas 或 aasx（资产管理壳）、catena-x、cyclonedx（硬件物料清单）、"
        "omts。\n\n给出 --product 时只写该产品及其组成；同样的文件可用 load 载入。"
    ),
    en=(
        "Write what an organisation may see in the interchange standard FORMAT: aas or aasx (Asset Administration "
        "Shells), catena-x, cyclonedx (a hardware bill of materials), omts.\n\n"
        "With --product only that product and what is in it. Such files can be loaded with load."
    ),
    params=[
        argument("form", metavar="FORMAT", type=click.Choice(FORMATS)),
        option("--product", zh="产品的编码。", en="Number of the product.", metavar="P"),
        option(
            "--output", zh="写到该文件。", en="The file to write.", required=True, metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
        ),
    ],
    reads=True,
)  # fmt: skip
def exchange(session: Session, form: str, product: str | None, output: Path) -> None:
    """The document, and how many rows of each kind it has."""
    from ingest import writing

    with session.workspace(existing=True) as workspace:
        view = session.seen(workspace)
        mark(session, view)
        written = writing.write(view, form, product)
    output.write_bytes(written.content)
    if written.left_out:
        session.note(
            Text(
                f"{written.left_out} 行未写出：所涉企业只以代号可见，或格式无处可写。",
                f"{written.left_out} rows were left out: they name firms that are seen by a pseudonym only, or the "
                "format has no place for them.",
            )
        )
    rows = [[kind(name).text.say(session.locale), count, str(output)] for name, count in written.rows.items()]
    payload = {
        "file": str(output), "format": form, "rows": dict(written.rows), "left_out": written.left_out,
    }  # fmt: skip
    headings = [Text("表", "Table"), Text("行数", "Rows"), Text("文件", "File")]
    session.answer(payload, [session.say(each) for each in headings], rows)
