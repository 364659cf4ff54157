"""How data comes in: `load` takes files in (formats, columns, checks), `undo` takes an upload back."""

from ingest.load import Step, load
from ingest.report import Counts, Finding, Report
from ingest.retract import undo

__all__ = ["Counts", "Finding", "Report", "Step", "load", "undo"]
