"""Mutations by the API's conventions: one input, a payload with what was made and what the user is to correct."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry import UNSET

from chaingraph import Capability, ChaingraphError
from server.api.aspects import CHANGES, OWN, declare
from server.api.context import Context, context_of
from server.api.inputs import argument, described_enum, maybe, several
from server.api.limits import MUTATION_COST
from server.api.types import plain_type, publish
from server.api.uploads import UserError


@dataclass(frozen=True, slots=True)
class Given:
    """A field of an input: its type, what it means, and whether it must be given."""

    annotation: Any
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """What a mutation may refuse: the graph's code, the member of its enum, its meaning, the field at fault."""

    code: str
    name: str
    meaning: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Returns:
    """The field of a payload beside `userErrors`, and what it is where something was refused."""

    name: str
    annotation: Any
    description: str
    nothing: Any = None


def mutation(
    name: str,
    description: str,
    given: dict[str, Given],
    returns: Returns,
    reasons: tuple[Reason, ...],
    function: Callable[[Context, Any], Any],
    needs: Capability,
    *,
    cost: int = MUTATION_COST,
) -> Any:
    """A mutation `name`, with its types NameInput, NamePayload, NameError and NameReason.

    `function(context, input)` does it and gives what the payload returns; it raises ChaingraphError. A code that is
    among the reasons becomes a user error, any other a top-level one.
    """
    stem, words = "".join(word.capitalize() for word in name.split("_")), name.replace("_", " ")
    listed: Any = enum.Enum(f"{stem}Reason", {each.name: each.name for each in reasons})  # type: ignore[misc]
    reason = described_enum(listed, f"What the mutation {words} may refuse.", [each.meaning for each in reasons])
    error = _error(stem, words, reason)
    payload = publish(f"{stem}Payload", plain_type(f"{stem}Payload", f"What came of the mutation {words}.", {
        returns.name: (returns.annotation, returns.description, None),
        "user_errors": (several(error), "What was refused; empty when all is well.", None),
    }, OWN))  # fmt: skip
    taken = input_of(f"{stem}Input", f"What the mutation {words} takes.", given)

    def resolve(info: strawberry.Info, input: Any) -> Any:  # noqa: A002 - the argument's name
        context = context_of(info)
        try:
            return payload(**{returns.name: function(context, input), "user_errors": []})
        except ChaingraphError as refused:
            found = next((each for each in reasons if each.code == refused.code), None)
            if found is None:
                raise
            said = error(
                code=refused.code,
                message=refused.text.say(context.locale),
                path=["input", *([found.field] if found.field else [])],
                reason=listed[found.name],
                remedy=refused.remedy.say(context.locale) if refused.remedy else None,
            )
            return payload(**{returns.name: returns.nothing, "user_errors": [said]})

    resolve.__annotations__ |= {"input": argument(taken, "What to do."), "return": payload}
    return strawberry.mutation(
        resolver=resolve, description=description, metadata={"needs": needs, "cost": cost}, directives=[CHANGES]
    )


def _error(stem: str, words: str, reason: Any) -> Any:
    fields = {
        "__annotations__": {"reason": reason, "remedy": maybe(str)},
        "__module__": __name__,
        "reason": strawberry.field(description="Which of the things that can be wrong."),
        "remedy": strawberry.field(description="What to do about it."),
    }
    made = strawberry.type(type(f"{stem}Error", (UserError,), fields), description=f"Why {words} was refused.")
    return publish(f"{stem}Error", declare(made, OWN))


def input_of(name: str, description: str, given: dict[str, Given]) -> Any:
    """An input type; fields that need not be given are UNSET."""
    fields: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {
            n: each.annotation if each.required else maybe(each.annotation) for n, each in given.items()
        },
    }
    for field, each in given.items():
        more: dict[str, Any] = {} if each.required else {"default": UNSET}
        fields[field] = strawberry.field(description=each.description, **more)
    return strawberry.input(type(name, (), fields), description=description)


def set_of(asked: Any) -> dict[str, Any]:
    """What of an input was given, without nulls; codes as in the graph."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.value if isinstance(value, enum.Enum) else value

    return {name: plain(value) for name, value in vars(asked).items() if value is not UNSET and value is not None}
