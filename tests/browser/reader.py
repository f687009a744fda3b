"""Somebody with a browser who looks hard at pages: what does not fit, what complains, what a screen
reader cannot use, who else is asked for anything.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe

from merchants.models import User
from tests.browser.gallery import Look
from tests.examples.window import Window
from tests.signing import sign_in

SERIOUS = ("serious", "critical")


class Reader(Window):
    """A window that reports instead of failing."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.axe = Axe()

    def become(self, base_url: str, session: str, look: Look) -> None:
        """Look as somebody whose session this is; nobody without one."""
        self.page.goto("about:blank")  # or a page that asks every few seconds asks as somebody else
        context = self.page.context
        context.clear_cookies()
        cookies = [("django_language", look.language)] + [("sessionid", session)] * bool(session)
        context.add_cookies(
            [{"name": name, "value": value, "url": base_url} for name, value in cookies]
        )

    def sign_in(self, base_url: str, session: str) -> None:
        """Go on with a session that is open already."""
        cookie = {"name": "sessionid", "value": session, "url": base_url}
        self.page.context.add_cookies([cookie])

    def click_link(self, part: str) -> None:
        """Follow the first link of the page's own part whose address ends so."""
        self.page.locator(f"main a[href$='{part}']").first.click()
        self.page.wait_for_load_state()

    def type_into(self, field: str, words: str) -> None:
        self.page.locator(field).first.fill(words)

    def attach(self, field: str, name: str, content: bytes) -> None:
        """Choose a file."""
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.page.locator(field).first.set_input_files(files=[file])

    def read(self) -> str:
        """What the page's own part says."""
        return " ".join(self.page.locator("main").inner_text().split())

    def send(self, form: str) -> None:
        """Press the button of a form."""
        self.page.locator(f"{form} button").first.click()
        self.page.wait_for_load_state()

    def pretend(self, url: str, html: str) -> None:
        """Answer this address with a page of our own."""
        self.page.route(url, lambda route: route.fulfill(body=html, content_type="text/html"))

    def follow(self, url: str) -> None:
        """Come by a link, wherever it leads."""
        self.page.goto(url)

    def inspect(self, url: str, picture: str) -> list[str]:
        """Open a page. Returns: what is wrong with it, one sentence each."""
        self.complaints.clear()
        self.hosts.clear()
        answer = self.page.goto(url)
        if picture:
            self.page.wait_for_load_state("networkidle")
            Path(picture).parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=picture, full_page=True)
        looked_at = [*self._unusable(), *self._too_wide()]  # which takes long enough to complain in
        return [
            *([f"answers {answer.status}"] if answer.status != 200 else []),
            *looked_at,
            *(f"complains: {each}" for each in self.complaints),
            *(f"asks {host}" for host in self.hosts - {urlsplit(url).netloc, ""}),
        ]

    def _too_wide(self) -> list[str]:
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        room = self.page.viewport_size["width"]
        return [f"is {wide} wide on {room}"] if wide > room else []

    def _unusable(self) -> list[str]:
        found = self.axe.run(self.page).response["violations"]
        return [
            f"{each['id']}: {node['target']} {each['help']}"
            for each in found
            if each["impact"] in SERIOUS
            for node in each["nodes"][:3]
        ]


def session_of(user: User) -> str:
    """Sign somebody in. Returns: the value of the session's cookie."""
    return sign_in(user, again=True).cookies["sessionid"].value
