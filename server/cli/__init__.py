"""The command line, `chaingraph`: a group of commands, those of analyses made from their registry."""

from server.cli.commands import main

__all__ = ["main"]
