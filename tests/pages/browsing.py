"""A browser without scripts: it keeps cookies, follows redirects and fills in the forms of the page that it shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from starlette.types import ASGIApp

from server.pages.visits import SESSION


@dataclass
class Form:
    """A form of a page: where it goes, and its fields as they stand."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.cells: list[tuple[str, str]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "select":
            self._select = name
            self.forms[-1].choices[name] = []
        elif tag == "option":
            self.forms[-1].choices[self._select].append(given.get("value", ""))
            if "selected" in given or len(self.forms[-1].choices[self._select]) == 1:
                self.forms[-1].fields[self._select] = given.get("value", "")
        elif tag == "input" and name:
            kind = given.get("type", "text")
            if kind == "radio":
                self.forms[-1].choices.setdefault(name, []).append(given["value"])
            if kind in {"hidden", "text", "password"} or (kind in {"radio", "checkbox"} and "checked" in given):
                self.forms[-1].fields[name] = given.get("value", "")


class Browser:
    """One person's browser; `page` is the answer that it shows."""

    def __init__(self, app: ASGIApp, *, signed_in: bool = False) -> None:
        self._app = app
        self.cookies = httpx.Cookies({SESSION: "somebody"} if signed_in else {})
        self.page = httpx.Response(200)
        self.path = ""

    def open(self, path: str) -> str:
        """Go to an address; the page's text."""
        return self._ask("GET", path)

    def forms(self) -> list[Form]:
        """The forms of the page."""
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.forms

    def form(self, action: str) -> Form:
        """The page's form that goes to an address."""
        return next(each for each in self.forms() if each.action == action)

    def press(
        self, action: str, fields: dict[str, str] | None = None, *, files: dict[str, bytes] | None = None, **more: str
    ) -> str:
        """Send the form that goes to `action`, some fields filled in otherwise; several ways to name them."""
        values = {**self.form(action).fields, **(fields or {}), **more}
        attached = [("files", (name, content)) for name, content in (files or {}).items()]
        return self._ask("POST", action, data=values, files=attached or None)

    def _ask(self, method: str, path: str, **options: Any) -> str:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://chaingraph.test", cookies=self.cookies, follow_redirects=True
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        self.page = asyncio.run(send())
        self.path = self.page.url.path
        return self.page.text
