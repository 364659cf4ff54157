"""The GraphQL types of every kind, generated from the registry: objects, connections, columns, lists both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import strawberry
from strawberry import UNSET

from chaingraph import Capability, View
from schema import KINDS, Kind, kind
from server.api import opaque, touched
from server.api.aspects import Reveals, declare, nothing, of_field, reveals
from server.api.context import Locale, context_of
from server.api.groups import group_field, group_type
from server.api.inputs import (
    argument,
    columns_of,
    describe,
    expression,
    filter_input,
    leaf_type,
    maybe,
    order_input,
    several,
    steps,
)
from server.api.naming import has_names, inverses, list_name, lists, shown_name, type_name
from server.api.paging import Cut, Listing
from server.api.rows import KindRows
from server.api.sources import Row, Source, Table, Values, batched, origin

MOST_COLUMNS = 10_000
"""Rows of one page of a columns type."""

LOCALE = argument(maybe(Locale), "The language; the request's where not given.")


@strawberry.interface(description="A thing or fact with an id that holds across the whole graph.")
class Node:
    """What has an id."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")

    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str | None:
        """The GraphQL type of a row."""
        return origin(value)[0].type_name if isinstance(value, Row) else None


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = strawberry.field(description="Whether there is more after it.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before it.")
    start_cursor: str | None = strawberry.field(description="The cursor of its first row.")
    end_cursor: str | None = strawberry.field(description="The cursor of its last row.")


declare(Node, nothing("Opaque; whoever may see a thing may have its id."))
declare(PageInfo, nothing("Where a page stands among the rows that the viewer may see."))

FILTERS: dict[str, Any] = {}
ORDERS: dict[str, Any] = {}
OBJECTS: dict[str, Any] = {}


def publish(name: str, made: Any) -> Any:
    """Keep a generated type where annotations written as text find it."""
    globals()[name] = made
    return made


def _localised(resolve: Callable[..., Values], returns: Any) -> Callable[..., Values]:
    """A resolver with the argument `locale`, described."""
    resolve.__annotations__ |= {"locale": LOCALE, "return": returns}
    return resolve


def _label(root: Any, info: strawberry.Info, locale: Any = UNSET) -> Values:
    return root.titles(context_of(info).say(locale))  # type: ignore[no-any-return]


def _name(root: Any, info: strawberry.Info, locale: Any = UNSET) -> Values:
    return root.names(context_of(info).say(locale))  # type: ignore[no-any-return]


def _code_label(field: str) -> Callable[..., Values]:
    def resolve(root: Any, info: strawberry.Info, locale: Any = UNSET) -> Values:
        return root.labels(field, context_of(info).say(locale))  # type: ignore[no-any-return]

    return _localised(resolve, maybe(str))


def paged(of: Kind, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(root, info, cut, where, order)` as a resolver with the arguments of a connection of `of`."""

    def resolve(
        root: Any,
        info: strawberry.Info,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
        filter: Any = UNSET,  # noqa: A002 - the argument's name
        order_by: Any = UNSET,
    ) -> Any:
        cut = Cut(*(each or None for each in (first, after, last, before)))
        condition = expression(of, filter, opaque.of(context_of(info).view))
        return function(root, info, cut, condition, steps(order_by or ()))

    said = {
        "first": (int, "How many from the start (or after the cursor): 1 to 100, 20 when nothing is said."),
        "after": (str, "Only rows after the one of this cursor."),
        "last": (int, "How many from the end (or before the cursor), instead of first."),
        "before": (str, "Only rows before the one of this cursor."),
        "filter": (FILTERS[of.name], "Which rows."),
        "order_by": (several(ORDERS[of.name]), "In which order; by key when nothing is said."),
    }
    resolve.__annotations__ = {
        "root": Any,
        "info": strawberry.Info,
        **{name: argument(maybe(annotation), text) for name, (annotation, text) in said.items()},
        "return": f"{type_name(of)}Connection",
    }
    return resolve


def _inverse(of: Kind, field: str) -> Any:
    """The list of rows of `of` that refer to a thing by `field`, for all things of a level at once."""

    def rows_of(root: Any, _info: Any, cut: Cut, where: Any, order: Any) -> Source:
        view: View = root.view
        rows, counts = view.inverse(of.name, field).take(root.where())
        return Listing(view, of, where, order, rows, counts).page(cut).connection(type_name(of))

    said = f"{of.plural.en} of which this is the {field.replace('_', ' ')}. {of.plural.zh}。"
    return batched(paged(of, rows_of), description=said)


def object_type(of: Kind) -> Any:
    """The object type of a kind: its leaves, what it refers to, and the lists of what refers to it."""
    name = type_name(of)
    annotations: dict[str, Any] = {}
    fields: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    declared_of: dict[str, Reveals] = {}

    def add(field: str, annotation: Any, value: Any, of_what: Kind, column: str = "key") -> None:
        if field in fields:
            raise TypeError(f"{name} has two fields {field}.")
        annotations[field] = annotation
        fields[field] = value
        declared_of[field] = of_field(of_what, column)

    def leaf(shown: str, annotation: Any, description: str, column: str = "key") -> None:
        add(shown, annotation, strawberry.field(description=description), of, column)

    leaf("key", str, describe(of, "key"))
    leaf("owner", maybe(str), describe(of, "owner"))
    for field, declared in of.fields.items():
        shown = shown_name(field)
        if field in of.refs:
            leaf(shown, f"{type_name(kind(of.refs[field]))} | None", describe(of, field), field)
            continue
        masked = declared.meta.own or of.aspect_of(field) != of.aspect
        known = not of.stubs and not masked and (declared.required or declared.default is not None)
        certain = field == "stub" or known
        kind_of = leaf_type(of, field)
        leaf(shown, kind_of if certain else maybe(kind_of), describe(of, field), field)
        if declared.vocabulary is not None:
            said = f"What to show for {shown}. {declared.label.zh}。"
            add(f"{shown}_label", maybe(str), batched(_code_label(field), description=said), of, field)
    add(
        "label",
        str,
        batched(_localised(_label, str), description="What to show for it: its name, else its key. 显示名称。"),
        of,
        "name_en",
    )
    if has_names(of):
        add(
            "name",
            maybe(str),
            batched(_localised(_name, maybe(str)), description="Its name; in the other language where there is none."),
            of,
            "name_en",
        )
    if of.name != "upload":
        leaf("upload", "Upload | None", "The upload that it came with. 所属上传。")
        leaf("row", maybe(int), describe(of, "row"))
        leaf("extra", maybe(str), describe(of, "extra"))
    for inverse, other, field in inverses(of):
        add(inverse, f"{type_name(other)}Connection", _inverse(other, field), other, field)
    fields["is_type_of"] = classmethod(
        lambda _cls, value, _info: isinstance(value, Row) and origin(value)[0].type_name == name
    )
    made = strawberry.type(type(name, (Node,), fields), description=f"{of.description} {of.text.zh}。")
    return publish(name, declare(made, declared_of))


def connection_types(of: Kind) -> None:
    """The edge, the connection and the groups of a kind."""
    name = type_name(of)
    publish(f"{name}Edge", plain_type(f"{name}Edge", f"A row on a page of {of.plural.en}.", {
        "cursor": (str, "Where it stands; goes into after or before.", None),
        "node": (name, "The row.", None),
    }, reveals(of.aspect)))  # fmt: skip
    publish(f"{name}Group", group_type(of))
    publish(f"{name}Connection", plain_type(f"{name}Connection", f"A page of {of.plural.en}. {of.plural.zh}。", {
        "edges": (f"list[{name}Edge]", "The rows with their cursors.", None),
        "nodes": (f"list[{name}]", "The rows.", None),
        "page_info": (PageInfo, "Where the page stands in the list.", None),
        "total_count": (int, "How many rows the whole list has.", None),
        "groups": (f"list[{name}Group]", "", group_field(of)),
    }, reveals(of.aspect)))  # fmt: skip
    publish(f"{name}Columns", plain_type(f"{name}Columns", f"{of.plural.en} by column; references are keys.", {
        "id": (list[strawberry.ID], "Ids.", None),
        **{
            shown: (several(maybe(leaf_type(of, field))), describe(of, field), None)
            for shown, field in columns_of(of).items()
        },
        "total_count": (int, "How many rows the whole list has.", None),
        "has_next_page": (bool, "Whether there is more.", None),
        "end_cursor": (maybe(str), "The cursor of the last row.", None),
    }, {
        **dict.fromkeys(("id", "total_count", "has_next_page", "end_cursor"), reveals(of.aspect)),
        **{shown: of_field(of, field) for shown, field in columns_of(of).items()},
    }))  # fmt: skip


def plain_type(
    name: str, description: str, fields: dict[str, tuple[Any, str, Any]], declared: Reveals | dict[str, Reveals]
) -> Any:
    """An object type of described fields: name to (type, description, the field itself if it is not a plain one).

    `declared` says what they reveal.
    """
    namespace: dict[str, Any] = {"__module__": __name__, "__annotations__": {n: a for n, (a, _, _) in fields.items()}}
    namespace |= {n: made or strawberry.field(description=said) for n, (_, said, made) in fields.items()}
    return declare(strawberry.type(type(name, (), namespace), description=description), declared)


class ColumnsOf:
    """One page of rows by column: what a columns type reads from."""

    def __init__(self, listing: Listing, cut: Cut) -> None:
        self._page = listing.page(cut)
        self._rows = self._page.nodes()

    def __getattr__(self, name: str) -> Any:
        if name == "total_count":
            return self._page.listing.totals()[0]
        if name == "has_next_page":
            return bool((self._page.remaining - self._page.counts)[0] > 0)
        if name == "end_cursor":
            return self._page.ends(last=True)[0]
        field = columns_of(self._rows.kind).get(name)
        return self._rows.plain(name) if field is None else self._rows.values(field)


def list_fields() -> dict[str, Any]:
    """The root's fields: for each kind its list and its columns."""
    found: dict[str, Any] = {}
    for name, of in lists().items():
        found[name] = strawberry.field(
            resolver=_list(of),
            description=f"{of.plural.en}. {of.description} {of.plural.zh}。",
            metadata={"needs": Capability.READ},
            directives=[reveals(of.aspect)],
        )
        found[f"{of.name}_columns"] = strawberry.field(
            resolver=_columns(of),
            description=f"{of.plural.en} by column, for programs that want flat lists: a third of the cost.",
            metadata={"most": MOST_COLUMNS, "needs": Capability.READ},
            directives=[reveals(of.aspect)],
        )
    return found


def _list(of: Kind) -> Callable[..., Any]:
    def rows_of(_root: Any, info: Any, cut: Cut, where: Any, order: Any) -> Any:
        return Listing(context_of(info).view, of, where, order).page(cut).connection(type_name(of)).row(0)

    return paged(of, rows_of)


def _columns(of: Kind) -> Callable[..., Any]:
    def resolve(
        info: strawberry.Info,
        first: Any = 1000,
        after: Any = UNSET,
        filter: Any = UNSET,  # noqa: A002 - the argument's name
        order_by: Any = UNSET,
    ) -> Any:
        view = context_of(info).view
        listing = Listing(view, of, expression(of, filter, opaque.of(view)), steps(order_by or ()))
        return ColumnsOf(listing, Cut(first, after or None))

    rows, order = FILTERS[of.name], several(ORDERS[of.name])
    resolve.__annotations__ |= {
        "first": argument(int, "How many: 1 to 10,000."),
        "after": argument(maybe(str), "Only rows after this cursor."),
        "filter": argument(maybe(rows), "Which rows."),
        "order_by": argument(maybe(order), "In which order."),
        "return": f"{type_name(of)}Columns",
    }
    return resolve


def things(view: View, ids: list[str]) -> list[Row | None]:
    """The rows of these ids, None for one that there is not (or that the viewer may not see)."""
    sealed = opaque.of(view)
    found = rows_of(view, [sealed.read_id(text) for text in ids])
    for text, row in zip(ids, found, strict=True):
        if row is None:
            touched.unknown(text)
    return found


def rows_of(view: View, wanted: Sequence[tuple[str, str] | None]) -> list[Row | None]:
    """The rows of these kinds and keys, None for one that there is not."""
    found: list[Row | None] = [None] * len(wanted)
    for name in dict.fromkeys(each[0] for each in wanted if each is not None):
        asked = {i: each[1] for i, each in enumerate(wanted) if each is not None and each[0] == name}
        where = list(asked)
        places = view.locate(name, list(asked.values()))
        rows = KindRows(view, kind(name), places.astype(np.int64))
        for at, (i, place) in enumerate(zip(where, places.tolist(), strict=True)):
            found[i] = None if place < 0 else Row(rows, at)
    return found


def build() -> None:
    """Generate all types, once."""
    for of in KINDS.values():
        FILTERS[of.name] = filter_input(of)
        ORDERS[of.name] = order_input(of)
    for of in KINDS.values():
        connection_types(of)
        OBJECTS[of.name] = object_type(of)


build()

__all__ = ["OBJECTS", "ColumnsOf", "Node", "PageInfo", "Table", "list_fields", "list_name", "things"]
