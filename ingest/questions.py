"""What a sheet leaves open and its reader must not guess: asked once, with the cells in doubt."""

from __future__ import annotations

from ingest.decisions import Option, Question, SheetDecisions
from ingest.forms import lacks_event
from ingest.headers import Detection
from ingest.reading import Table
from schema.text import Text
from schema.vocabularies import Event

EVENT = "event"
"""How all rows of a sheet of ages ended, where it does not say."""

_EVENT = Text(
    "没有说明每台是失效还是仍在用的列。这些行都是：",
    "No column says whether units failed or are still alive. All rows are:",
)


def questions(table: Table, found: Detection, decided: SheetDecisions) -> tuple[Question, ...]:
    """What is asked about a sheet that is taken for what `found` says, with the answers that were given."""
    read = found.reading
    asked: list[Question] = []
    if read is not None and table.cells.height and lacks_event(read):
        options = tuple(Option(each.value, each.text) for each in (Event.FAILURE, Event.SUSPENSION))
        asked.append(Question(EVENT, _EVENT, options, answer=decided.answers.get(EVENT)))
    return tuple(asked)
