"""What is written about uploads is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.codes import CODES
from ingest.guide import FILE, table, written
from schema.expressions import MESSAGES
from schema.rules import RULES

INGEST = Path(__file__).parents[2] / "ingest"


def test_the_page_is_what_the_code_says() -> None:
    page = FILE.read_text(encoding="utf-8")
    assert page == written(page), "run `python -m ingest.guide`"


def test_every_code_is_listed_and_used() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in INGEST.rglob("*.py") if path.name != "codes.py")
    groups = "file|sheet|column|value|row|key|life_record|reference|upload|agreement|question|decisions"
    groups += "|bom|document|inspection"
    used = set(re.findall(rf'"((?:{groups})\.[a-z_]+)"', source))
    assert set(CODES) <= used
    raised = {  # said by exceptions, not found in files
        "upload.unknown", "upload.ambiguous", "upload.not_yours", "upload.changed", "upload.offset", "upload.too_large",
        "upload.too_many", "upload.no_file", "upload.state", "upload.expired", "upload.failed", "upload.files_gone",
        "upload.incomplete", "upload.longer", "upload.not_ready", "upload.quota", "decisions.invalid",
    }  # fmt: skip
    assert used - set(CODES) - raised <= set(MESSAGES)
    assert [code for code in (*CODES, *MESSAGES) if f"| `{code}` |" not in table()] == []


def test_no_code_means_two_things() -> None:
    assert not set(CODES) & (set(MESSAGES) | set(RULES))


def test_texts_have_the_same_marks_in_both_languages() -> None:
    def marks(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    wrong = [
        code
        for code, known in CODES.items()
        if marks(known.text.zh) != marks(known.text.en) or marks(known.remedy.zh) != marks(known.remedy.en)
    ]
    assert not wrong
