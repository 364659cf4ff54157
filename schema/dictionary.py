"""The data dictionary, `docs/data-dictionary.md`, written from the registry: `python -m schema.dictionary`."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from schema import KINDS, Field, Kind, Vocabulary
from schema.rules import RULES
from schema.vocabularies import Aspects

FILE = Path(__file__).parent.parent / "docs" / "data-dictionary.md"

SEVERITIES = {"error": "error 错误", "warning": "warning 警告", "info": "info 提示"}
_TYPES: dict[type, str] = {
    str: "text 文本",
    int: "whole number 整数",
    float: "number 数",
    bool: "yes/no 是/否",
    dt.date: "date 日期",
    dt.datetime: "time 时间 (UTC)",
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_DRAWING = re.compile(r"^\s*# (\(:.+)$", re.MULTILINE)

_OPENING = """\
# Data dictionary 数据字典

Written from the declarations in `schema/` by `python -m schema.dictionary`; a test holds the two equal.
由 `schema/` 中的声明生成，测试保证两者一致。

A file is a sheet of one kind, by its name (`parts.csv`, `parts.xlsx`) or by its columns. A column is known by any of
the names below, without regard to case, width, blanks and punctuation; a unit may follow in brackets. Empty means
unknown, not zero, but where a value is given under “if empty”. Besides its columns every row has its owner 数据所有者,
the upload 上传 and row 行号 it came from, and the cells of columns that were not understood.

| mark | means |
|---|---|
| **bold** 粗体 | part of the key 键: rows with equal keys are the same thing |
| required 必填 | a row without it is refused 缺则拒收 |
| → `kind` | refers to 引用 a thing of that kind; one that nobody has described yet is entered as a stub 占位 |
| aspect 共享内容 | what an agreement 共享协议 lets others see, of the [six](#aspects) there are |
"""


def markdown() -> str:
    """The whole dictionary: contents, kinds, vocabularies, rules between facts."""
    parts = [_OPENING, "\n".join(_contents()), *(_kind(each) for each in KINDS.values())]
    parts += [
        "## Vocabularies 代码表\n\nCapitals and full-width forms do not matter.",
        *(_vocabulary(v) for v in vocabularies()),
    ]
    parts.append(_rules())
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def vocabularies() -> list[type[Vocabulary]]:
    """The closed sets that fields use, in the order of their first use."""
    found = [f.vocabulary for each in KINDS.values() for f in each.fields.values()]
    return list(dict.fromkeys(v for v in found if v))


def drawings(of: Kind) -> list[str]:
    """How the relations of a kind are drawn above its declaration, `(:Part)-[:CONTAINS {...}]->(:Part)`."""
    comments = _DRAWING.findall(inspect.getsource(of.model))
    return [f"(:{drawing}" for comment in comments for drawing in comment.removeprefix("(:").split(", (:")]


def _contents() -> Iterator[str]:
    yield "## Kinds 种类\n"
    yield from _table(["kind", "种类", "sheet 表", "key 键", "stated by each owner 各方各表", "aspect 共享内容"])
    for each in KINDS.values():
        key = " / ".join(f"`{n}`" for n in each.key)
        yield _row(
            f"[{each.text.en}](#{_anchor(each)})",
            each.text.zh,
            f"`{each.sheet}`" if each.sheet else "",
            key,
            "✓" if each.by_owner else "",
            _aspect(each.aspect),
        )


def _kind(each: Kind) -> str:
    lines = [f"## {_heading(each)}\n", f"{each.description}\n"]
    lines += [f"`{drawing}`\n" for drawing in drawings(each)]
    lines += _table(
        ["column 列", "中文", "type 类型", "if empty 空值", "aspect 共享内容", "meaning", "other names 其他列名"]
    )
    lines += [_field_row(each, field) for field in each.fields.values() if field.name != "stub"]
    if each.model.ROW_RULES:
        lines.append("\nA row is refused when 下列情况该行拒收:\n")
        lines += _table(["code 代码", "columns 列", "text", "说明"])
        for rule in each.model.ROW_RULES:
            columns = ", ".join(f"`{c}`" for c in rule.columns)
            en, zh = (f"{rule.text.say(at)} {rule.remedy.say(at)}" for at in ("en", "zh"))
            lines.append(_row(f"`{rule.code}`", columns, en, zh))
    return "\n".join(lines)


def _field_row(each: Kind, field: Field) -> str:
    name = f"`{field.name}`"
    others = [n for n in field.spellings if n not in (field.name, field.label.zh, field.meta.zh)]
    return _row(
        f"**{name}**" if field.name in each.key else name,
        field.meta.zh,
        _type(field),
        _if_empty(each, field),
        _aspect(each.aspect_of(field.name)),
        field.description + _example(field, each),
        "; ".join(dict.fromkeys(others)),
    )


def _type(field: Field) -> str:
    if field.meta.ref:
        within = (
            f", written in full or, beside {' and '.join(f'`{v}`' for v in field.meta.via)}, by its code"
            if field.meta.via
            else ""
        )
        return f"→ `{field.meta.ref}`{within}"
    if field.vocabulary:
        return f"[{field.vocabulary.__name__}](#{field.vocabulary.__name__.lower()})"
    text = _TYPES[field.python_type]
    if field.meta.unit:
        text += f", {field.meta.unit}"
    if field.bounds:
        text += ", " + " ".join(f"{_SIGNS[op]} {limit:g}" for op, limit in field.bounds.items())
    if field.max_length:
        text += f", ≤ {field.max_length} characters"
    return text


def _if_empty(each: Kind, field: Field) -> str:
    if (each.name, field.name) == ("part", "issuer"):
        return "who loads it 上传方"
    if field.required:
        return "required 必填"
    value = field.default
    if value is None:
        return ""
    return f"`{value.value if isinstance(value, Enum) else f'{value:g}' if isinstance(value, float) else value}`"


def _example(field: Field, each: Kind) -> str:
    found = each.model.model_fields[field.name].examples
    return f" Example: `{found[0]}`." if found else ""


def _vocabulary(each: type[Vocabulary]) -> str:
    lines = [f"### {each.__name__}\n\n{' '.join((each.__doc__ or '').split())}\n"]
    lines += _table(["code 代码", "中文", "English", "also written 也写作"])
    lines += [_row(f"`{m.value}`", m.text.zh, m.text.en, "; ".join(m.synonyms)) for m in each]
    return "\n".join(lines)


def _rules() -> str:
    lines = ["## Rules between facts 一致性规则\n"]
    lines.append(
        "Checked on the graph as it would be after a load. An error refuses the row 错误：拒收该行; "
        "a warning is reported 警告：仅报告.\n"
    )
    lines += _table(["code 代码", "severity 级别", "checks", "text and remedy", "说明与处理"])
    for rule in RULES.values():
        en, zh = (f"{rule.text.say(at)} {rule.remedy.say(at)}" for at in ("en", "zh"))
        what = " ".join((rule.check.__doc__ or "").split())
        lines.append(_row(f"`{rule.code}`", SEVERITIES[rule.severity], what, en, zh))
    return "\n".join(lines)


def _heading(each: Kind) -> str:
    return f"{each.text.en} {each.text.zh} `{each.name}`"


def _anchor(each: Kind) -> str:
    """The anchor that Markdown viewers give the heading."""
    return re.sub(r"[^\w -]", "", _heading(each).lower()).replace(" ", "-")


def _aspect(name: str) -> str:
    label = next(each.text for each in Aspects if each == name)
    return f"{label.zh} {label.en.lower()}"


def _table(headings: list[str]) -> list[str]:
    return [_row(*headings), _row(*["---"] * len(headings))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cells(cells)) + " |"


def _cells(cells: Iterable[str]) -> Iterator[str]:
    for cell in cells:
        yield cell.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    FILE.write_text(markdown(), encoding="utf-8")
