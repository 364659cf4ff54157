"""Pages for people, in process and in a real browser."""
