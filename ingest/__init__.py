"""How data comes in: `load` takes files in (formats, columns, checks), `look` says what it would do, `undo` takes an
upload back. `Desk` is the same step by step, for people.
"""

from ingest.decisions import Memory, Option, Question, SheetDecisions, read_decisions
from ingest.desk import Desk, Draft, DraftFile
from ingest.load import Looked, load, look
from ingest.opening import Step
from ingest.preview import ColumnSeen, Preview, SheetSeen, preview
from ingest.report import Counts, Finding, Report
from ingest.retract import undo

__all__ = [
    "ColumnSeen", "Counts", "Desk", "Draft", "DraftFile", "Finding", "Looked", "Memory", "Option", "Preview",
    "Question", "Report", "SheetDecisions", "SheetSeen", "Step", "load", "look", "preview", "read_decisions", "undo",
]  # fmt: skip
