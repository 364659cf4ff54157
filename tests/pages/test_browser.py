"""A clerk's first use in a real Chromium: from the invitation to the receipt, with scripts and without."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from chaingraph import Actor, Workspace
from schema.vocabularies import AccessRole
from server.auth.accounts import Accounts

ROOT = Path(__file__).parents[2]
SHEET = ROOT / "fixtures" / "uploads" / "故障维修记录_2025.csv"
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
PASSWORD = "correct horse battery"
MOST_CLICKS = 8


@contextmanager
def serving(store: str, folder: Path) -> Iterator[str]:
    """A server on a free port of the loopback, in a process of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "CHAINGRAPH_STORE": store, "CHAINGRAPH_SPOOL": str(folder / "spool")}
    command = [sys.executable, "-m", "server", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{address}/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the server has ended"
                assert time.monotonic() < end, "the server does not answer"
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: run `make setup-chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        try:
            yield browser
        finally:
            browser.close()


class Hand:
    """Clicks as a person does, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, what: str) -> None:
        """One click."""
        self.clicks += 1
        self.page.click(what)

    def choose(self, what: str, file: Path) -> None:
        """A file by the browser's own dialogue, which takes a click."""
        self.clicks += 1
        with self.page.expect_file_chooser() as chooser:
            self.page.click(what)
        chooser.value.set_files(file)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_invitation_to_the_receipt_in_eight_clicks(scripts: bool, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'graph.db'}"
    with Workspace.open(store) as space:
        code, _ = Accounts(space).invite(Actor(), "L01", AccessRole.SUPPLIER)
    with serving(store, tmp_path) as address, chromium() as browser:
        size: ViewportSize = {"width": 1280, "height": 900}
        context = browser.new_context(java_script_enabled=scripts, locale="zh-CN", viewport=size)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        hand = Hand(page)
        page.goto(f"{address}/auth/join#{code}")
        if not scripts:
            page.fill("input[name=invitation]", f"{address}/auth/join#{code}")
        page.fill("input[name=name]", "clerk")
        page.fill("input[name=password]", PASSWORD)
        hand.click("text=加入")
        secret = page.inner_text("#secret")
        page.fill("input[name=password]", PASSWORD)
        page.fill("input[name=code]", pyotp.TOTP(secret).now())
        hand.click("button:has-text('登录')")
        hand.choose("input[type=file]", SHEET)
        hand.click("text=上传并查看")
        assert page.inner_text("h2 >> nth=0") == SHEET.name
        hand.click("text=确认提交")
        page.wait_for_selector("#receipt", timeout=30_000)
        receipt = page.inner_text("#receipt")
        assert hand.clicks <= MOST_CLICKS
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(f"{address}/upload?lang=en")
        assert receipt in page.content()
        if scripts:
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, "it fits a telephone"
        context.close()
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2]}, "nothing is fetched from elsewhere"
    with Workspace.open(store) as space:
        assert space.view("L01").table("life_record").height == 40
