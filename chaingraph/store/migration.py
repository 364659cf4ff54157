"""Versions of the schema, and what leads from each to the next."""

from __future__ import annotations

VERSION = 2
"""The schema that this program writes."""
