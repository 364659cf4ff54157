"""XML of untrusted files, piece by piece, without entities. Runs in the child process."""

from __future__ import annotations

from xml.parsers import expat

from .limits import Unreadable

_DEEPEST = 200


class Guarded:
    """An expat parser without entities of the document's own, which could grow without bound, and not too deep.

    Names come as `namespace name`. Raises Unreadable `file.damaged`.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.EntityDeclHandler = self._entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text

    def feed(self, piece: str | bytes, *, last: bool = False) -> None:
        """The next piece of the document; nothing in it is kept."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise Unreadable("file.damaged", reason=f"XML, line {error.lineno}") from error

    def start(self, name: str, values: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, piece: str) -> None:
        """Text of the innermost element, or a part of it."""

    def _start(self, name: str, values: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable("file.damaged", reason=f"XML deeper than {_DEEPEST}")
        self.start(name, values)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.end(name)

    def _entity(self, *_: object) -> None:
        raise Unreadable("file.damaged", reason="XML with entities")
