"""A real browser: its window, and somebody who sits at it.

It must never be needed: where no Chromium is installed, what asks for one is skipped.
"""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
PATIENCE_MS = 15_000
PICTURES = os.environ.get("SHOP_PICTURES")  # a folder, for people who want to see the pages

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


class Window:
    """A browser's window; it notices what does not fit and what the console complains of."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name, self.pictures = name, 0
        self.complaints: list[str] = []
        self.hosts: set[str] = set()  # everybody who was asked for anything
        self.running = playwright.sync_playwright().start()
        self.browser = self.running.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--no-proxy-server"]
        )
        self.come(options)

    def come(self, options: dict[str, Any]) -> None:
        """Sit down as somebody else: nothing of whoever sat there before is left."""
        for before in self.browser.contexts:
            before.close()
        self.complaints.clear()
        self.page = self.browser.new_context(**options).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def close(self) -> None:
        self.browser.close()
        self.running.stop()

    def go(self, url: str) -> None:
        self.page.goto(url)

    def url(self) -> str:
        return str(self.page.url)

    def wait_for(self, url: str) -> None:
        self.page.wait_for_url(url)

    def fill(self, name: str, words: str) -> None:
        self.page.locator(f"input[name={name}]").fill(words)

    def press(self, words: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("button", name=words).first.click()

    def expect(self, words: str) -> None:
        """Wait until the page shows this headline, without being asked to."""
        heading = self.page.get_by_role("heading", name=words)
        playwright.expect(heading).to_be_visible(timeout=PATIENCE_MS)
        self.look()

    def look(self) -> None:
        """Nothing is wider than the screen, and no word is missing."""
        self.measure()
        assert "<" not in self.page.locator("body").inner_text()

    def measure(self) -> None:
        """Nothing is wider than the screen."""
        self.page.wait_for_load_state()  # a page that is on its way has no width yet
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], f"{self.page.url} is {wide} wide"
        self.pictures += 1
        if PICTURES:
            path = Path(PICTURES) / f"{self.name}-{self.pictures}.png"
            self.page.screenshot(path=path, full_page=True)


class Buyer:
    """Somebody at a window of their own: in another thread, for Playwright keeps an event loop
    running in its thread, and Django takes queries beside one for mistakes.
    """

    def __init__(self, name: str, kind: type[Window] = Window, **options: Any) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._window = self._thread.submit(kind, name, **options).result()

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        done = getattr(self._window, verb)
        return lambda *words: self._thread.submit(done, *words).result()

    @property
    def complaints(self) -> list[str]:
        return self._window.complaints

    @property
    def hosts(self) -> set[str]:
        return self._window.hosts - {""}  # of what is written into the page: data:


DESK = ("desk", {"viewport": {"width": 1280, "height": 860}, "locale": "en-US"})
PHONE = (
    "phone",
    {
        "viewport": {"width": 390, "height": 844},
        "locale": "zh-CN",
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
        "color_scheme": "dark",
    },
)
