"""Uploads step by step, as people do them: files come, are looked at, decided about, confirmed, and taken back."""

from ingest.desk.desk import Desk
from ingest.desk.drafts import Draft, DraftFile, Receipt, ReceiptSheet
from ingest.desk.spool import spool_folder
from ingest.desk.worker import Worker

__all__ = ["Desk", "Draft", "DraftFile", "Receipt", "ReceiptSheet", "Worker", "spool_folder"]
