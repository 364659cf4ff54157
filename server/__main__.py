"""`python -m server` is `chaingraph`."""

from server.cli import main

main(prog_name="chaingraph")
