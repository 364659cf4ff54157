"""What an operation asks for, measured before it runs: cost, depth, aliases, directives and the range of page sizes.

Each fragment is measured once, so that the walk is linear in the document; a walk that follows every spread is
exponential in nested fragments (798 bytes can burn seconds). Cost counts objects: an object is 1, a leaf 0, a list its
size times what is selected below it, a mutation 10; a field declares another cost, size or largest page in its
metadata: `{"cost": 100}`, `{"size": 5}`, `{"most": 10_000}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from server.api.errors import ApiError, Code

CAP = 1e12
BITS = 63
"""What a whole number may take: no type of the schema has longer ones."""
INTROSPECTION_COST = 200
MUTATION_COST = 10
LEAF_LIST = 0.01
"""A value in a columns twin, as a part of an object."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may ask for, and a member over time.

    `document` is in characters, `definitions` are its operations and fragments, `merging` the work of comparing fields
    that may overlap. `nesting` are the levels of lists and objects in variables and in literals, `values` and `objects`
    (of input) how many of them, `text` the characters of each. A member's `budget` is in points of cost, `budget_rate`
    what it gets back in a second. Of uploads step by step `file` are the bytes of one file, `sheets` how many sheets
    can be decided about, `sending` the files that a member sends at once.
    """

    tokens: int = 2_000
    cost: int = 50_000
    depth: int = 16
    aliases: int = 100
    directives: int = 5
    page: int = 100
    list_size: int = 20
    body: int = 1_000_000
    address: int = 60_000
    body_seconds: float = 20.0
    upload: int = 200_000_000
    upload_seconds: float = 900.0
    file: int = 1 << 30
    sheets: int = 500
    sending: int = 8
    document: int = 50_000
    definitions: int = 64
    merging: int = 20_000
    nesting: int = 24
    values: int = 5_000
    objects: int = 250
    text: int = 4_000
    files: int = 20
    budget: int = 400_000
    budget_rate: float = 4_000.0


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection asks for: `once`, and `each` for every row of the page it belongs to."""

    once: float = 0
    each: float = 0
    depth: int = 0
    aliases: int = 0

    def __add__(self, other: Measure) -> Measure:
        return Measure(
            min(self.once + other.once, CAP),
            min(self.each + other.each, CAP),
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, int(CAP)),
        )


class _Walk:
    """One walk over one operation with its variables."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.measured: dict[str, Measure] = {}

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        """The measure of a whole operation."""
        for definition in operation.variable_definitions or ():
            name, default = definition.variable.name.value, definition.default_value
            if isinstance(default, IntValueNode) and name not in self.variables:
                self.variables = {**self.variables, name: int(default.value)}
        root = self.schema.get_root_type(operation.operation)
        return self.selection(root, operation.selection_set)

    def selection(self, parent: Any, selections: SelectionSetNode) -> Measure:
        """The measure of a selection on `parent`."""
        total = Measure()
        for node in selections.selections:
            if len(node.directives or ()) > self.limits.directives:
                raise ApiError(
                    Code.TOO_MANY, f"At most {self.limits.directives} directives may stand in one place.", node
                )
            if isinstance(node, FieldNode):
                total += self.field(parent, node)
            elif isinstance(node, InlineFragmentNode):
                on = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                total += self.selection(on, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                total += self.fragment(node.name.value)
        return total

    def fragment(self, name: str) -> Measure:
        """The measure of a fragment, taken once."""
        if name not in self.measured:
            fragment = self.fragments[name]
            on = self.schema.get_type(fragment.type_condition.name.value)
            self.measured[name] = self.selection(on, fragment.selection_set)
        return self.measured[name]

    def field(self, parent: Any, node: FieldNode) -> Measure:
        """The measure of one field with all below it."""
        name, aliased = node.name.value, 1 if node.alias else 0
        if name.startswith("__"):
            return Measure(INTROSPECTION_COST if node.selection_set else 0, depth=1, aliases=aliased)
        field: GraphQLField = parent.fields[name]
        declared = field.extensions.get("strawberry-definition")
        metadata = declared.metadata if declared else {}
        leaf = is_leaf_type(get_named_type(field.type))
        mutation = parent is self.schema.mutation_type
        own = metadata.get("cost", MUTATION_COST if mutation else 0 if leaf else 1)
        below = self.selection(get_named_type(field.type), node.selection_set) if node.selection_set else Measure()
        depth, aliases = below.depth + 1, below.aliases + aliased
        many = _is_list(field.type)
        sized = "first" in field.args
        if many and not sized and parent.name.endswith(("Connection", "Columns")):
            return Measure(each=LEAF_LIST if leaf else own + below.once, depth=depth, aliases=aliases)
        if leaf:
            return Measure(own, depth=depth, aliases=aliases)
        size = self.page(field, node, metadata.get("most", self.limits.page)) if sized else 1
        if many:
            size = size if sized else self.list_size(field, node, metadata)
            return Measure(own + size * (1 + below.once), depth=depth, aliases=aliases)
        return Measure(own + below.once + size * below.each, depth=depth, aliases=aliases)

    def page(self, field: GraphQLField, node: FieldNode, most: int) -> int:
        """The rows of a page; refuses a size outside 1 … `most`."""
        sizes = [size for name in ("first", "last") if (size := self.argument(field, node, name)) is not None]
        for size in sizes:
            if not isinstance(size, int) or isinstance(size, bool):
                continue  # coercion of the variables refuses it
            if not 1 <= size <= most:
                message = f"{node.name.value}: a page has 1 to {most} rows, not {size}."
                raise ApiError(Code.OUT_OF_RANGE, message, node)
        return max((s for s in sizes if isinstance(s, int)), default=self.limits.list_size)

    def list_size(self, field: GraphQLField, node: FieldNode, metadata: Mapping[str, Any]) -> int:
        """The items of a plain list: as many as asked for by ids or number, as declared, or the usual few."""
        ids = self.argument(field, node, "ids")
        if isinstance(ids, list):
            if len(ids) > self.limits.page:
                raise ApiError(Code.OUT_OF_RANGE, f"{node.name.value}: at most {self.limits.page} ids.", node)
            return len(ids)
        top = self.argument(field, node, "top")
        if isinstance(top, int):
            if not 1 <= top <= self.limits.page:
                message = f"{node.name.value}: top is 1 to {self.limits.page}, not {top}."
                raise ApiError(Code.OUT_OF_RANGE, message, node)
            return top
        return int(metadata.get("size", self.limits.list_size))

    def argument(self, field: GraphQLField, node: FieldNode, name: str) -> Any:
        """What an argument will be, as far as size goes: an int, a list, or None."""
        if name not in field.args:
            return None
        default = getattr(field.args[name], "default_value", None)
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = argument.value
                if isinstance(value, VariableNode):
                    return self.variables.get(value.name.value, _default(default))
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, ListValueNode):
                    return list(value.values)
                if isinstance(value, NullValueNode):
                    return None
        return _default(default)


def _default(value: Any) -> Any:
    return None if value is Undefined else value


def _is_list(type_: Any) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def look_over(document: DocumentNode, limits: Limits) -> None:
    """Refuse a parsed document that would take long to validate or to run, whatever it means; raises ApiError."""
    if len(document.definitions) > limits.definitions:
        raise ApiError(Code.TOO_MANY, f"At most {limits.definitions} operations and fragments may stand in a document.")
    objects = 0
    stack: list[tuple[Node, int]] = [(each, 0) for each in document.definitions]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, StringValueNode) and len(node.value) > limits.text:
            raise ApiError(Code.TOO_LARGE, f"A text has more than {limits.text} characters.", node)
        objects += isinstance(node, ObjectValueNode)
        depth += isinstance(node, (ObjectValueNode, ListValueNode))
        if depth > limits.nesting:
            raise ApiError(Code.TOO_DEEP, f"Values are nested too deeply; {limits.nesting} levels are allowed.", node)
        if len(getattr(node, "directives", None) or ()) > limits.directives:
            raise ApiError(Code.TOO_MANY, f"At most {limits.directives} directives may stand in one place.", node)
        for name in node.keys:
            below = getattr(node, name, None)
            if isinstance(below, Node):
                stack.append((below, depth))
            elif isinstance(below, (tuple, list)):
                stack.extend((each, depth) for each in below)
    _few_objects(objects, limits)


def look_over_variables(variables: Mapping[str, Any], limits: Limits) -> None:
    """Refuse variables of too many or too long values before they are coerced; raises ApiError."""
    objects = values = 0
    stack: list[tuple[Any, int]] = [(variables, 0)]
    while stack:
        value, depth = stack.pop()
        values += 1
        if values > limits.values:
            raise ApiError(Code.TOO_MANY, f"The variables have more than {limits.values} values.")
        if isinstance(value, (dict, list)):
            if depth >= limits.nesting:
                said = f"Variables are nested too deeply; {limits.nesting} levels are allowed."
                raise ApiError(Code.TOO_DEEP, said)
            objects += isinstance(value, dict)
            texts = [name for name in value if isinstance(name, str)]
            if any(len(text) > limits.text for text in texts):
                raise ApiError(Code.TOO_LARGE, f"A text has more than {limits.text} characters.")
            stack.extend((each, depth + 1) for each in (value.values() if isinstance(value, dict) else value))
        elif isinstance(value, str) and len(value) > limits.text:
            raise ApiError(Code.TOO_LARGE, f"A text has more than {limits.text} characters.")
        elif isinstance(value, int) and value.bit_length() > BITS:
            raise ApiError(Code.OUT_OF_RANGE, "A whole number in the variables is too large.")
    _few_objects(objects, limits)


def _few_objects(count: int, limits: Limits) -> None:
    if count > limits.objects:
        said = f"At most {limits.objects} objects of input (conditions of a filter, say) may be given."
        raise ApiError(Code.TOO_MANY, said)


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits,
) -> Measure:
    """The measure of a valid document's operation; raises ApiError where it asks for more than `limits`."""
    try:
        found = _Walk(schema, document, variables, limits).operation(operation)
    except RecursionError:
        raise ApiError(Code.TOO_DEEP, "Fragments are nested too deeply.") from None
    if found.depth > limits.depth:
        raise ApiError(Code.TOO_DEEP, f"Selections are {found.depth} levels deep; {limits.depth} are allowed.")
    if found.aliases > limits.aliases:
        raise ApiError(Code.TOO_MANY, f"{found.aliases} aliases are used; {limits.aliases} are allowed.")
    if found.once > limits.cost:
        message = f"The operation costs {int(found.once)}; {limits.cost} is allowed. Ask for smaller pages."
        raise ApiError(Code.TOO_COSTLY, message, requested=int(found.once), allowed=limits.cost)
    return found
