"""The GraphQL side of analyses, generated from their registration: parameters as arguments, results as types."""

from __future__ import annotations

import ast
import datetime as dt
import enum
import functools
import inspect
import itertools
import math
import textwrap
import types as pytypes
import typing
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import polars as pl
import strawberry
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from strawberry import UNSET

from analytics import ANALYSES, Analysis, run
from chaingraph import Capability, View
from schema import KINDS, Text, Vocabulary, kind
from schema.core import Aspect
from server.api import opaque, touched, types
from server.api.aspects import RESTS_ON, add, declare, reveals
from server.api.context import context_of
from server.api.errors import ApiError, Code
from server.api.inputs import argument, codes_of, described_enum, maybe, several
from server.api.naming import type_name
from server.api.rows import KindRows
from server.api.sources import Picked, Values, batched
from server.api.types import LOCALE, plain_type

REFERENCES = {"part": "part", "product": "part", "maker": "organisation"}
"""Fields of results that hold the key of a thing: they become the thing."""

LISTS = {"unknown": "part", "loses": "part"}
"""Fields of results that hold the keys of several things."""

COST = 500
"""What an analysis costs when nothing else is declared."""

SHOWN = {"propagate": "reliability"}
"""Analyses that go by another name in GraphQL."""

_MADE: dict[Any, Any] = {}


def described(model: type[BaseModel], name: str) -> str:
    """What a field means: its description, else the docstring under it, else its name in words."""
    info = model.model_fields[name]
    said = info.description or _docstrings(model).get(name) or f"{name.replace('_', ' ').capitalize()}."
    said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "。", "!", "?")) else f"{said}."


@functools.cache
def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings that stand under the fields of a model."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for pair in itertools.pairwise(body.body):
            match pair:
                case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(said))):
                    found[field] = " ".join(said.split())
    return found


def closed(owner: str, name: str, codes: tuple[Any, ...]) -> Any:
    """The GraphQL enum of a literal of texts."""
    slot = f"{owner.removesuffix('Parameters')}{name.title().replace('_', '')}"
    if slot not in _MADE:
        listed: Any = enum.Enum(slot, {str(code).upper(): code for code in codes})  # type: ignore[misc]
        words = [f"{str(code).replace('_', ' ').capitalize()}." for code in codes]
        _MADE[slot] = described_enum(listed, f"A {name.replace('_', ' ')} of {owner}.", words)
    return _MADE[slot]


def unwrapped(annotation: Any) -> tuple[Any, bool]:
    """An annotation without None, and whether it had it."""
    if typing.get_origin(annotation) in {typing.Union, pytypes.UnionType}:
        options = [a for a in typing.get_args(annotation) if a is not type(None)]
        if len(options) == 1:
            return options[0], True
    return annotation, False


def leaf(owner: str, name: str, annotation: Any) -> Any:
    """The GraphQL type of a plain value or a list of such, None for what is none."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return closed(owner, name, arguments)
    if origin in {tuple, list}:
        inner = leaf(owner, name, arguments[0])
        return None if inner is None else several(inner)
    if isinstance(annotation, type) and issubclass(annotation, Vocabulary):
        return codes_of(annotation)
    return annotation if annotation in {str, int, float, bool, dt.date} else None


def digits(value: Any) -> Any:
    """A float, or lists of floats, with 12 significant digits; None for what is not finite."""
    if isinstance(value, (tuple, list)):
        return [digits(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value


def revealing(name: str, cost: int) -> dict[str, Any]:
    """What the field of an analysis declares: its cost, who may ask, the aspects that it rests on."""
    return {"metadata": {"cost": cost, "needs": Capability.READ}, "directives": [reveals(*RESTS_ON[name])]}


def result_type(model: type[BaseModel], rests_on: tuple[Aspect, ...]) -> Any:
    """The GraphQL type of a result that rests on these aspects, or of a piece of one, which several may have."""
    name = _result_type(model)
    for each in _pieces(model, set()):
        add(_MADE[each], rests_on)
    return name


def _pieces(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """A model and the models in its fields."""
    if model not in seen:
        seen.add(model)
        for info in model.model_fields.values():
            for item in _items(info.annotation):
                if isinstance(item, type) and issubclass(item, BaseModel):
                    _pieces(item, seen)
    return seen


def _items(annotation: Any) -> list[Any]:
    arguments = typing.get_args(annotation)
    return [item for each in arguments for item in _items(each)] if arguments else [annotation]


def _result_type(model: type[BaseModel]) -> Any:
    taken = {type_name(of) for of in KINDS.values()}
    name = f"{model.__name__}Result" if model.__name__ in taken else model.__name__
    if model not in _MADE:
        _MADE[model] = None  # a type that contains itself is met again
        fields = {field: _output(model, field, info) for field, info in model.model_fields.items()}
        if "kind" in fields and fields.keys() & {"id", "key"}:
            thing = "The thing itself."
            fields["node"] = ("Node | None", thing, _node(thing))
        said = inspect.cleandoc(model.__doc__ or f"{name}.")
        _MADE[model] = types.publish(name, plain_type(name, said, fields, {}))
    return name


def _output(model: type[BaseModel], name: str, info: FieldInfo) -> tuple[Any, str, Any]:
    """A field of a result: its annotation, its description, and how it is resolved where it is no plain attribute."""
    annotation, absent = unwrapped(info.annotation)
    said = described(model, name)
    item, many = annotation, False
    if typing.get_origin(annotation) in {tuple, list}:
        item, many = typing.get_args(annotation)[0], True
    if annotation is str and name in REFERENCES:
        of = kind(REFERENCES[name])
        return f"{type_name(of)} | None", said, _reference(name, of, said)
    if item is str and many and name in LISTS:
        of = kind(LISTS[name])
        return f"list[{type_name(of)} | None]", said, _references(name, of, said)
    if item is Text:
        returns: Any = several(str) if many else (maybe(str) if absent else str)
        return returns, said, _text(name, said, returns)
    if isinstance(item, type) and issubclass(item, BaseModel):
        inner = _result_type(item)
        shown = f"list[{inner}]" if many else inner
        return (f"{shown} | None" if absent else shown), said, None
    if isinstance(annotation, type) and issubclass(annotation, Vocabulary):
        return (maybe(codes_of(annotation)) if absent else codes_of(annotation)), said, None
    found = leaf(model.__name__, name, annotation)
    if found is None:
        raise TypeError(f"{model.__name__}.{name}: {annotation} has no GraphQL type.")
    if _innermost(found) is float:
        returns = _floats(found)
        return returns, said, _rounded(name, said, returns)
    return (maybe(found) if absent else found), said, None


def _innermost(annotation: Any) -> Any:
    arguments = typing.get_args(annotation)
    return _innermost(arguments[0]) if arguments else annotation


def _floats(annotation: Any) -> Any:
    """Numbers may be null: what is not finite is not known."""
    arguments = typing.get_args(annotation)
    return several(_floats(arguments[0])) if arguments else maybe(float)


def _reference(name: str, of: Any, said: str) -> Any:
    def resolve(root: Any, info: strawberry.Info) -> Values:
        view, keys = context_of(info).view, root.plain(name)
        places = view.locate(of.name, ["" if key is None else key for key in keys])
        return Picked(KindRows(view, of), np.asarray(places))

    resolve.__annotations__ |= {"return": f"{type_name(of)} | None"}
    return batched(_here(resolve), description=said)


def _references(name: str, of: Any, said: str) -> Any:
    def resolve(root: Any, info: strawberry.Info) -> Values:
        view, lists = context_of(info).view, root.plain(name)
        places = view.locate(of.name, [key for keys in lists for key in keys])
        rows = KindRows(view, of, np.maximum(places, 0))
        found = iter([None if place < 0 else rows.row(at) for at, place in enumerate(places.tolist())])
        return [[next(found) for _ in keys] for keys in lists]

    resolve.__annotations__ |= {"return": f"list[{type_name(of)} | None]"}
    return batched(_here(resolve), description=said)


def _node(said: str) -> Any:
    def resolve(root: Any, info: strawberry.Info) -> Values:
        keys = root.plain("key" if hasattr(root.objects[0], "key") else "id")
        return list(types.rows_of(context_of(info).view, list(zip(root.plain("kind"), keys, strict=True))))

    resolve.__annotations__ |= {"return": "Node | None"}
    return batched(_here(resolve), description=said)


def _text(name: str, said: str, returns: Any) -> Any:
    def resolve(root: Any, info: strawberry.Info, locale: Any = UNSET) -> Values:
        language = context_of(info).say(locale)

        def say(value: Any) -> Any:
            if isinstance(value, Text):
                return value.say(language)
            return None if value is None else [say(each) for each in value]

        return [say(value) for value in root.plain(name)]

    resolve.__annotations__ |= {"locale": LOCALE, "return": returns}
    return batched(resolve, description=said)


def _rounded(name: str, said: str, returns: Any) -> Any:
    def resolve(root: Any) -> Values:
        return [digits(value) for value in root.plain(name)]

    resolve.__annotations__ |= {"root": Any, "return": returns}
    return batched(resolve, description=said)


def _here(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose annotations written as text are found among the generated types."""
    function.__module__ = types.__name__
    return function


def arguments_of(of: Analysis[Any, Any], subject: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of an analysis but its subject as annotations and defaults of a resolver."""
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for name, info in of.parameters.model_fields.items():
        if name == subject:
            continue
        annotation, absent = unwrapped(info.annotation)
        found = leaf(of.parameters.__name__, name, annotation)
        if found is None:
            raise TypeError(f"{of.name}: the parameter {name} ({annotation}) has no GraphQL type.")
        default = None if info.default is PydanticUndefined else info.get_default(call_default_factory=True)
        required = info.is_required()
        annotations[name] = argument(maybe(found) if absent else found, described(of.parameters, name))
        if not required:
            literal = typing.get_origin(annotation) is Literal or isinstance(default, enum.Enum)
            plain = list(default) if isinstance(default, tuple) else default
            defaults[name] = UNSET if default is None or literal else plain
            if literal:
                annotations[name] = argument(maybe(found), described(of.parameters, name))
    return annotations, defaults


def analysis_field(of: Analysis[Any, Any], subject: str | None) -> Any:
    """An analysis as a field: of the product (or part) that `root` holds, or of the root where there is no subject."""
    annotations, defaults = arguments_of(of, subject)
    returns = result_type(of.result, RESTS_ON[of.name])

    def resolve(root: Any, info: strawberry.Info, **given: Any) -> Any:
        asked = {name: _plain(value) for name, value in given.items() if value is not UNSET}
        if subject is not None:
            asked[subject] = root.key
        elif isinstance(asked.get(of.subject), str):
            asked[of.subject] = opaque.of(context_of(info).view).spelled(
                asked[of.subject], with_kind=of.subject == "thing"
            )
        context = context_of(info)
        touched.analysis(context.view, of.name, RESTS_ON[of.name])
        return run(of.name, context.view, asked, context.workspace)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Any),
        inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info),
        *(
            inspect.Parameter(name, keyword, annotation=each, default=defaults.get(name, inspect.Parameter.empty))
            for name, each in annotations.items()
        ),
    ]
    resolve.__signature__ = inspect.Signature(parameters, return_annotation=returns)  # type: ignore[attr-defined]
    resolve.__annotations__ = {"root": Any, "info": strawberry.Info, **annotations, "return": returns}
    said = " ".join(inspect.cleandoc(of.description).split("\n\n", maxsplit=1)[0].split())
    return strawberry.field(resolver=_here(resolve), description=f"{said} {of.text.zh}。", **revealing(of.name, COST))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, enum.Enum) else value


def fields_about(*subjects: str) -> dict[str, Any]:
    """The analyses about one of these, as fields."""
    return {
        SHOWN.get(name, name): analysis_field(of, of.subject if of.subject in of.parameters.model_fields else None)
        for name, of in ANALYSES.items()
        if of.subject in subjects
    }


class ProductOf:
    """A product of a view: what analyses about it read from."""

    def __init__(self, view: View, place: int) -> None:
        rows = KindRows(view, kind("part"), np.array([place]))
        self.part = rows.row(0)
        self.key: str = rows.plain("key")[0]


def product_type() -> Any:
    """The type of `product`: its part, and a field for each analysis about a product."""
    fields = fields_about("product")
    annotations = {"part": "Part"}
    attributes = {"part": strawberry.field(description="The product as a part."), **fields}
    made = type("Product", (), {**attributes, "__annotations__": annotations, "__module__": types.__name__})
    product = strawberry.type(made, description="A product, and what the analyses say about it. 产品。")
    return types.publish("Product", declare(product, reveals(Aspect.STRUCTURE)))


def find_product(
    info: strawberry.Info,
    number: Any = UNSET,
    issuer: Any = UNSET,
    id: Any = UNSET,  # noqa: A002 - the argument's name
) -> Any:
    """The product of an id, or of a number (and whose number it is); None where there is none."""
    view = context_of(info).view
    if id:
        of, key = opaque.of(view).read_id(id) or ("", "")
        place = int(view.locate("part", [key])[0]) if of == "part" else -1
        if place < 0:
            touched.unknown(id)
        return None if place < 0 else ProductOf(view, place)
    if not number:
        raise ApiError(Code.BAD_REQUEST, "Say which product: its id, or its number.")
    wanted = pl.col("number") == number
    if issuer:
        wanted = wanted & (pl.col("issuer") == issuer)
    found = view.table("part").select("key", "stub", "number", "issuer").with_row_index("at").filter(wanted)
    described_ones = found.filter(~pl.col("stub"))
    found = described_ones if len(described_ones) else found
    if len(found) > 1:
        raise ApiError(Code.REFUSED, f"{number} is the number of several parts: {', '.join(found['key'].head(8))}.")
    if not len(found):
        touched.unknown(f"{issuer or ''}/{number}")
    return ProductOf(view, found["at"][0]) if len(found) else None


find_product.__annotations__ |= {
    "number": argument(maybe(str), "Its number."),
    "issuer": argument(maybe(str), "Whose number it is, where several firms use it."),
    "id": argument(maybe(strawberry.ID), "Its id, in place of number and issuer."),
}


def root_fields() -> dict[str, Any]:
    """`product`, and the analyses that are not about a product."""
    made = product_type()
    find_product.__annotations__["return"] = maybe(made)
    said = "A product by its id or number, for what analyses say about it; null when there is none. 产品。"
    others = {of.subject for of in ANALYSES.values()} - {"product"}
    return {
        "product": strawberry.field(
            resolver=find_product,
            description=said,
            metadata={"needs": Capability.READ},
            directives=[reveals(Aspect.STRUCTURE)],
        ),
        **{SHOWN.get(name, name): analysis_field(of, None) for name, of in ANALYSES.items() if of.subject in others},
    }
