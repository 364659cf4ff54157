"""Documents parsed and validated once, and kept for the next request with the same text."""

from __future__ import annotations

from collections import OrderedDict

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from server.api.errors import Code, Refused
from server.api.limits import Limits

KEPT = 200_000
"""Characters of query text kept; a parsed document takes some 250 bytes for each."""


class Documents:
    """Parsed and valid documents of one schema by their text. The rules are chosen once."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, development: bool) -> None:
        self.schema = schema
        self.limits = limits
        self.hide = not development
        self.rules = list(specified_rules) if development else [*specified_rules, NoSchemaIntrospectionCustomRule]
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._size = 0

    def get(self, text: str) -> DocumentNode:
        """The document of a text; raises Refused when it does not parse or does not fit the schema."""
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
        try:
            document = parse(text, max_tokens=self.limits.tokens)
        except GraphQLError as error:
            raise Refused(Code.SYNTAX, [error]) from None
        errors = validate(self.schema, document, self.rules, max_errors=20, hide_suggestions=self.hide)
        if errors:
            raise Refused(Code.INVALID, errors)
        return document


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run; raises Refused where the name, or the lack of one, does not say which."""
    found = get_operation_ast(document, name)
    if found is None:
        said = f"There is no operation {name}." if name else "Name the operation to run (operationName)."
        raise Refused(Code.INVALID, [GraphQLError(said)])
    return found
