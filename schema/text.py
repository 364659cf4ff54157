"""A text in both languages of the consortium."""

from __future__ import annotations

from dataclasses import dataclass

LOCALES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads, in Chinese and in English; `{name}` marks a value to be filled in by `format`."""

    zh: str
    en: str

    def say(self, locale: str) -> str:
        """The text in `locale` ("zh", "zh_CN.UTF-8" ... or anything else, which is English)."""
        return self.zh if locale.lower().startswith("zh") else self.en

    def format(self, **values: object) -> Text:
        """The same text with its `{name}` marks filled in."""
        return Text(self.zh.format(**values), self.en.format(**values))
