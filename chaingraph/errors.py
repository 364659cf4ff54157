"""What can go wrong with the graph: every error has a code and says in both languages what is the matter and what
to do.
"""

from schema.text import Text


class ChaingraphError(Exception):
    """An error that a user can act on. `code` is stable, `text` says what happened, `remedy` what to do."""

    def __init__(self, code: str, text: Text, remedy: Text | None = None) -> None:
        super().__init__(f"{code}: {text.en}")
        self.code = code
        self.text = text
        self.remedy = remedy

    def say(self, locale: str) -> str:
        """The error and its remedy in one language."""
        remedy = f" {self.remedy.say(locale)}" if self.remedy else ""
        return f"{self.text.say(locale)}{remedy}"


class Conflict(ChaingraphError):
    """The graph has moved on, an id was used for other content, or others refer to what is to be deleted."""


class NotFound(ChaingraphError):
    """There is no such thing, as far as the asker may see."""


class Busy(ChaingraphError):
    """Somebody else is writing and did not finish in time."""


class StoreError(ChaingraphError):
    """The store cannot be opened, read or written."""


class Unavailable(StoreError):
    """The store does not answer at the moment; it may later."""
