"""How data comes in: `load` takes files in (formats, columns, checks), `look` says what it would do, `undo` takes an
upload back. `Desk` is the same step by step, for people.
"""

from ingest.decisions import ASIDE, Memory, Option, Question, SheetDecisions, read_decisions
from ingest.desk import Desk, Draft, DraftFile
from ingest.desk.spool import file_name
from ingest.formulas import defused
from ingest.load import Looked, load, look
from ingest.marked import marked as marked_workbook
from ingest.opening import Step
from ingest.preview import ColumnSeen, How, Preview, SheetSeen, preview
from ingest.reading import Unreadable
from ingest.report import Counts, Finding, Report, finding
from ingest.retract import undo

__all__ = [
    "ASIDE",
    "ColumnSeen",
    "Counts",
    "Desk",
    "Draft",
    "DraftFile",
    "Finding",
    "How",
    "Looked",
    "Memory",
    "Option",
    "Preview",
    "Question",
    "Report",
    "SheetDecisions",
    "SheetSeen",
    "Step",
    "Unreadable",
    "defused",
    "file_name",
    "finding",
    "load",
    "look",
    "marked_workbook",
    "preview",
    "read_decisions",
    "undo",
]
