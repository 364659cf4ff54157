"""How data comes in: formats, column mapping, checks and loading."""
