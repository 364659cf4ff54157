"""What was done with whose data: entries of an append-only log, whose leaves are a Merkle tree (RFC 6962)."""

from chaingraph.audit.entries import Action, Entry

__all__ = ["Action", "Entry"]
