"""The page of the analyses, from their registration; `python -m analytics.reference` writes it."""

from __future__ import annotations

import inspect
from pathlib import Path

from analytics import ANALYSES

PAGE = Path(__file__).parent.parent / "docs" / "analyses.md"


def markdown() -> str:
    """Every analysis: what it says, by which formula, from what it is asked."""
    lines = [
        "# Analyses",
        "",
        "Each is a function of what a viewer sees. It has a GraphQL field and a command, with the same answer from",
        "both. The command is `chaingraph NAME`, but `fit --part` for `life-model`, `compare --part` for",
        "`life-comparison`, `forecast --part` for `returns-forecast`, and `plan-test --product` for `test-gains`. This",
        "page is written from the code.",
        "",
    ]
    for name, each in sorted(ANALYSES.items()):
        first, _, rest = inspect.cleandoc(each.description).partition("\n")
        lines += [f"## `{name.replace('_', '-')}` · {each.text.en} · {each.text.zh}", "", first, ""]
        lines += [rest.strip(), ""] if rest.strip() else []
        lines += ["| parameter | default | meaning |", "|---|---|---|"]
        for parameter, field in each.parameters.model_fields.items():
            default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
            lines.append(f"| `{parameter}` | {default} | {field.description or ''} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(markdown())
