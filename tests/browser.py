"""`zerosum explore` as a real process, and Debian's chromium looking at it. conftest.py gives both as fixtures."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import start

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Explorer:
    """A running `zerosum explore`."""

    address: str  # http://127.0.0.1:PORT/
    process: subprocess.Popen[str]

    def at(self, run: str = "", panel: str = "", query: str = "") -> str:
        """The address of a panel of a run, as state.js writes it."""
        return f"{self.address}#/{'/'.join(part for part in (run, panel) if part)}{f'?{query}' if query else ''}"


@contextmanager
def exploring(folder: Path, *options: str) -> Iterator[Explorer]:
    """`zerosum explore FOLDER` on a free port, ended by Ctrl-C; it must have printed no warning and no traceback."""
    process = start("explore", folder, "--port", "0", "--no-browser", *options)
    try:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        while said and "http://" not in said:
            said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, process.stderr.read()
        yield Explorer(found[0], process)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
            assert "Traceback" not in errors, errors
    finally:
        process.kill()
        process.communicate()


class Explorers:
    """Explorers by their folders; one that runs already is given again."""

    def __init__(self) -> None:
        self._running: dict[tuple[Path, tuple[str, ...]], Explorer] = {}
        self._stack = ExitStack()

    def __call__(self, folder: Path, *options: str) -> Explorer:
        key = (Path(folder), options)
        if key not in self._running:
            self._running[key] = self._stack.enter_context(exploring(folder, *options))
        return self._running[key]

    def end(self) -> None:
        """End them all."""
        self._stack.close()


def executable() -> str | None:
    """Where Chromium is."""
    return os.environ.get("ZEROSUM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium. The test is skipped, with one line, where it or Playwright is not installed."""
    if (where := executable()) is None:
        pytest.skip("browser tests need chromium (Debian: apt-get install chromium)")
    sync = pytest.importorskip("playwright.sync_api", reason="browser tests need Playwright (pip install playwright)")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Pages:
    """Opens pages. What one of them says is wrong, in its console or by an exception, fails the test at its end."""

    browser: Any
    wrong: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)  # pieces of messages that a test expects
    _contexts: list[Any] = field(default_factory=list)

    def __call__(self, address: str, dark: bool = False, phone: bool = False, wait: str = "main > *", **options: Any) -> Any:
        """A page in a fresh browser, opened and shown (`wait`: a selector that must appear; "" does not wait).

        `dark`: the colour scheme that the system asks for; `phone`: 390 pixels wide, touch. Other options are those of
        Playwright's new_context.
        """
        scheme = {"color_scheme": "dark" if dark else "light", "reduced_motion": "reduce"}
        shape = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {"viewport": WIDE}
        context = self.browser.new_context(**(scheme | shape | {"accept_downloads": True} | options))
        context.set_default_timeout(30_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._heard(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._heard(str(error)))
        page.goto(address)
        if wait:
            page.wait_for_selector(wait)
        return page

    def _heard(self, text: str) -> None:
        self.wrong.append(text)

    def end(self) -> None:
        """Close what was opened; raise AssertionError where something was wrong that no test expects."""
        for context in self._contexts:
            context.close()
        left = [text for text in self.wrong if not any(piece in text for piece in self.forgiven)]
        assert not left, f"the browser's console: {left}"


def sideways(page: Any) -> int:
    """Pixels by which the page is wider than its window: more than 0 makes a phone scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
