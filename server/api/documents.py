"""Documents parsed and validated once, and kept for the next request with the same text."""

from __future__ import annotations

from collections import OrderedDict

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from server.api.errors import ApiError, Code, Refused
from server.api.limits import Limits, look_over

KEPT = 200_000
"""Characters of query text kept; a parsed document takes some 250 bytes for each."""


class Documents:
    """Parsed and valid documents of one schema by their text. The rules are chosen once."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, development: bool) -> None:
        self.schema = schema
        self.limits = limits
        self.hide = not development
        rules = [merging(limits.merging) if r is OverlappingFieldsCanBeMergedRule else r for r in specified_rules]
        self.rules = rules if development else [*rules, NoSchemaIntrospectionCustomRule]
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._size = 0

    def get(self, text: str) -> DocumentNode:
        """The document of a text; raises Refused when it does not parse or fit the schema, ApiError beyond a limit."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        found = self._read(text)
        if len(text) <= KEPT // 10:
            self._kept[text] = found
            self._size += len(text)
            while self._size > KEPT:
                self._size -= len(self._kept.popitem(last=False)[0])
        return found

    def _read(self, text: str) -> DocumentNode:
        if len(text) > self.limits.document:
            raise ApiError(Code.TOO_LARGE, f"The document has more than {self.limits.document} characters.")
        try:
            document = parse(text, max_tokens=self.limits.tokens)
        except GraphQLError as error:
            raise Refused(Code.SYNTAX, [error]) from None
        look_over(document, self.limits)
        errors = validate(self.schema, document, self.rules, max_errors=20, hide_suggestions=self.hide)
        if errors:
            raise Refused(Code.INVALID, errors)
        return document


def merging(most: int) -> type[OverlappingFieldsCanBeMergedRule]:
    """The rule that overlapping fields can be merged, which compares them in pairs, giving up after so much work."""

    class Merging(OverlappingFieldsCanBeMergedRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.rule_context.remaining_complexity_budget = most

    return Merging


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run; raises Refused where the name, or the lack of one, does not say which."""
    found = get_operation_ast(document, name)
    if found is None:
        said = f"There is no operation {name}." if name else "Name the operation to run (operationName)."
        raise Refused(Code.INVALID, [GraphQLError(said)])
    return found
