"""Pages for people: log-in and uploads, rendered here, in plain HTML forms that need no JavaScript."""

from server.pages.site import Site

__all__ = ["Site"]
