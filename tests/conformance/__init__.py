"""One suite that every store passes, with no skips."""
