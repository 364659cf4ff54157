"""The audit log: its tree, its checkpoints, what is written into it, who reads it."""
