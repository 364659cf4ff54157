"""The registry: everything is declared, nothing twice, and the dataset's columns are what others' scripts send."""

from __future__ import annotations

import polars as pl
import pytest

from schema import KINDS, Aspect, Text, relations_to
from schema.core import BASE, escape, escape_text

SHEETS = {
    "organisations": "id uscc name_zh name_en tier role region industry parent",
    "sites": "id organisation name_zh name_en region latitude longitude recovery_days",
    "consortia": "id leader name_zh name_en products",
    "members": "consortium organisation role tier since until groups",
    "parts": "number issuer name_zh name_en part_class chain_level foundation_class criticality age_unit",
    "part_aliases": "organisation number drawing_no part",
    "contains": "parent child find_no quantity unit group k redundancy duty valid_from valid_to",
    "supplies": "part supplier customer site share status alternative_exists lead_time_days lead_time_sd_days price "
    "currency capacity inventory recovery_days valid_from",
    "mechanisms": "code parent name_zh name_en typical_beta",
    "modes": "part mode name_zh name_en mechanism severity repair_hours",
    "propagation": "upstream_part mechanism downstream_part sensitivity",
    "lots": "code part maker produced_on quantity individual",
    "lot_genealogy": "from_lot from_part from_maker into_lot into_part into_maker quantity",
    "life_records": "id serial part maker lot event entry age age_to unit count mode mechanism symptom cause effect "
    "severity relevant product region version origin stage started_on observed_on downtime_hours repair_hours cost",
    "shipments": "part maker lot shipped_on quantity region usage_per_month",
    "declared_values": "part maker mode metric value unit shape low high confidence condition",
    "agreements": "id version grantee records aspects purposes start end onward at_end mode state proposed_by "
    "changed_at note",
    "inspections": "report_no part maker lot inspected_on received checked rejected ppm mode disposition",
    "reliability_tests": "report_no part maker lot test standard condition units duration "
    "unit failures acceleration mode result tested_on laboratory",
    "fmea": "part function mode effect severity severity_class cause occurrence prevention "
    "detection_control detection rpn priority action due_on revised_on",
    "problems": "id part maker lot customer problem mode quantity containment "
    "root_cause escape_cause corrective_action prevention state opened_on closed_on",
    "change_notices": "id part maker category description reason impact announced_on "
    "effective_on first_lot last_order_on last_delivery_on replacement state",
    "approvals": "supplier customer part category status grade certificates valid_from valid_to",
}
"""The columns of a dataset folder; scripts of others write them."""


def test_the_sheets_and_their_columns_are_the_published_ones() -> None:
    declared = {k.sheet: {n for n in k.fields if n != "stub"} for k in KINDS.values() if k.sheet}
    assert declared == {sheet: set(columns.split()) for sheet, columns in SHEETS.items()}


def test_only_entry_count_duty_and_the_like_have_defaults() -> None:
    filled = {
        (k.name, n): f.default
        for k in KINDS.values()
        if k.sheet
        for n, f in k.fields.items()
        if f.default is not None and n != "stub"
    }
    assert filled == {
        ("contains", "quantity"): 1.0,
        ("contains", "duty"): 1.0,
        ("propagation", "sensitivity"): 1.0,
        ("life_record", "event"): "failure",
        ("life_record", "entry"): 0.0,
        ("life_record", "count"): 1,
        ("agreement", "version"): 1,
        ("agreement", "records"): "all",
        ("agreement", "onward"): False,
        ("agreement", "at_end"): "keep",
        ("agreement", "mode"): "show",
        ("agreement", "state"): "proposed",
    }


def test_every_kind_and_field_speaks_both_languages() -> None:
    texts: list[tuple[str, Text]] = []
    for each in KINDS.values():
        texts += [(each.name, t) for t in (each.text, each.plural, *(f.label for f in each.fields.values()))]
        texts += [(each.name, m.text) for f in each.fields.values() if f.vocabulary for m in f.vocabulary]
    assert [(name, t) for name, t in texts if not t.zh.strip() or not t.en.strip()] == []


def test_labels_and_synonyms_are_unambiguous_within_a_kind() -> None:
    clashes = []
    for each in KINDS.values():
        taken: dict[str, str] = {}
        for name, field in each.fields.items():
            spellings = {s.casefold() for s in field.spellings}
            clashes += [(each.name, s, taken[s], name) for s in spellings if taken.setdefault(s, name) != name]
    assert not clashes


def test_spellings_of_a_vocabulary_mean_one_code() -> None:
    clashes = []
    for each in KINDS.values():
        for field in each.fields.values():
            if field.vocabulary is not None:
                spellings = [
                    (s.casefold(), m) for m in field.vocabulary for s in {m.value, m.text.zh, m.text.en, *m.synonyms}
                ]
                folded = [s for s, _ in {(s, m) for s, m in spellings}]
                clashes += [(each.name, s) for s in folded if folded.count(s) > 1]
    assert not clashes


def test_words_that_are_easily_mixed_up_stay_apart() -> None:
    def owners(word: str) -> set[str]:
        return {f"{k.name}.{n}" for k in KINDS.values() for n, f in k.fields.items() if word in f.spellings}

    assert owners("层级") == set(), "depth in a bill of materials, tier and chain level are three things"
    assert owners("产业链环节") == {"part.chain_level"}
    assert owners("供应层级") == {"organisation.tier", "member.tier"}
    assert owners("声明值") == {"declared_value.value"}
    assert owners("索赔单号") == {"life_record.id"}
    assert owners("独家") == {"supplies.status"}
    assert owners("有无替代") == {"supplies.alternative_exists"}
    names = {"替代料", "备选供应商", "alternative", "second source"}
    assert all(owners(word) == set() for word in names), "their cells are names, not yes or no"
    assert owners("位号") == {"contains.find_no"}


def test_what_refers_comes_after_what_it_refers_to() -> None:
    order = list(KINDS)
    for each in KINDS.values():
        for target in each.refs.values():
            assert order.index(target) <= order.index(each.name)
    assert ("contains", "child") in {(k.name, f) for k, f in relations_to("part")}


def test_every_kind_draws_its_relation_above_its_fields() -> None:
    import inspect

    assert [k.name for k in KINDS.values() if k.refs and "# (:" not in inspect.getsource(k.model)] == []


def test_aspects_units_and_columns_are_complete() -> None:
    for each in KINDS.values():
        assert list(each.schema) == [*BASE, *each.fields]
        assert all(isinstance(each.aspect_of(n), Aspect) for n in each.fields)
        assert dict(each.empty().schema) == each.schema


@pytest.mark.parametrize("text", ["", "a/b", "x@y", "100%", "%2F", "主轴/轴承@甲"])
def test_atoms_of_keys_are_the_same_one_by_one_and_by_column(text: str) -> None:
    escaped = escape_text(text)
    assert "/" not in escaped
    assert "@" not in escaped
    assert pl.DataFrame({"text": [text]}).select(escape(pl.col("text"))).item() == escaped


def test_rows_get_every_column_with_its_type_and_default() -> None:
    of = KINDS["life_record"]
    made = of.frame(pl.DataFrame({"id": ["r"], "age": [5], "count": [None]}))
    assert dict(made.schema) == of.schema
    assert made.select("age", "count", "entry", "event", "maker").row(0) == (5.0, 1, 0.0, "failure", None)


def test_texts_are_filled_in_in_both_languages() -> None:
    text = Text("有 {n} 行", "{n} rows").format(n=3)
    assert (text.say("zh_CN.UTF-8"), text.say("en"), text.say("C")) == ("有 3 行", "3 rows", "3 rows")
