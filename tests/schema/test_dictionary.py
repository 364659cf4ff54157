"""The data dictionary says what the registry says."""

from pathlib import Path

import pytest

from schema import KINDS, Kind
from schema.dictionary import drawings, markdown, vocabularies
from schema.rules import RULES

PAGE = Path(__file__).parent.parent.parent / "docs" / "data-dictionary.md"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `python -m schema.dictionary`"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda each: str(each.name))
def test_a_kind_is_there_with_all_its_columns(kind: Kind) -> None:
    section = markdown().split(f"\n## {kind.text.en} {kind.text.zh} `{kind.name}`\n")[1].split("\n## ")[0]
    rows = [line.split(" | ")[0].strip("|* `") for line in section.splitlines() if line.startswith("| ")]
    assert [name for name in kind.fields if name != "stub" and name not in rows] == []
    assert [rule.code for rule in kind.model.ROW_RULES if f"`{rule.code}`" not in section] == []


def test_every_relation_is_drawn() -> None:
    missing = [k.name for k in KINDS.values() if k.relation and not any(k.relation.label in d for d in drawings(k))]
    assert missing == []
    assert drawings(KINDS["lot"]) == ["(:Lot)-[:OF]->(:Part)", "(:Organisation)-[:MADE]->(:Lot)"]


def test_every_code_and_every_rule_is_listed() -> None:
    text = markdown()
    assert [m for v in vocabularies() for m in v if f"| `{m.value}` | {m.text.zh} | {m.text.en} |" not in text] == []
    assert [code for code in RULES if f"| `{code}` |" not in text] == []


def test_every_row_of_a_table_has_as_many_cells_as_its_heading() -> None:
    width = 0
    for line in markdown().splitlines():
        cells = len(line.replace("\\|", "").split("|")) if line.startswith("|") else 0
        assert width in {0, cells} or not cells, line
        width = cells
