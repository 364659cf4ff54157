"""Uploads step by step, as people do them: files come, are looked at, decided about, confirmed, and taken back."""

from ingest.desk.desk import Desk
from ingest.desk.drafts import Draft, DraftFile

__all__ = ["Desk", "Draft", "DraftFile"]
