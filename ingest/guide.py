"""The list of codes in `docs/uploads.md`, written from the code: `python -m ingest.guide`."""

from __future__ import annotations

from pathlib import Path

from ingest.codes import CODES
from schema.core import Severity
from schema.expressions import MESSAGES
from schema.text import Text

FILE = Path(__file__).parent.parent / "docs" / "uploads.md"
MARK = "<!-- written by `python -m ingest.guide` from here on -->\n"
_SEVERITIES = {"error": "error 错误", "warning": "warning 警告", "info": "info 提示"}


def table() -> str:
    """The codes of files, sheets, columns, cells, rows and references as a table in Markdown."""
    lines = ["| code | | says 内容 | what to do 怎么办 |", "| --- | --- | --- | --- |"]
    rows: list[tuple[str, Severity, Text, Text]] = [(c, k.severity, k.text, k.remedy) for c, k in CODES.items()]
    rows += [(code, "error", text, remedy) for code, (text, remedy) in MESSAGES.items()]
    for code, severity, text, remedy in rows:
        cells = (f"`{code}`", _SEVERITIES[severity], f"{text.en} {text.zh}", f"{remedy.en} {remedy.zh}")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """The page with its table as the code has it."""
    return page.split(MARK, maxsplit=1)[0] + MARK + "\n" + table()


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
