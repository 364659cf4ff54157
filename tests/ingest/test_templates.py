"""Templates read back as what they were made from."""

from __future__ import annotations

import csv

import pytest

from chaingraph import NotFound
from ingest.headers import reading, sheet_kinds
from ingest.templates import template


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("of", [kind.name for kind in sheet_kinds()])
def test_every_column_of_a_template_is_its_field(of: str, locale: str) -> None:
    (kind,) = [k for k in sheet_kinds() if k.name == of]
    (header,) = csv.reader([template(of, locale).decode("utf-8-sig").strip()])
    read = reading({str(i): heading for i, heading in enumerate(header)}, kind)
    assert [column.field.name for column in read.columns] == [name for name in kind.fields if name != "stub"]
    assert all(column.scale.factor == 1 and column.scale.unit is None for column in read.columns)


def test_a_kind_goes_by_its_names() -> None:
    assert template("life_records") == template("life_record") == template("寿命数据")
    with pytest.raises(NotFound, match="no kind of sheet x"):
        template("x")
