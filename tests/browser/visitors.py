"""One browser for a module, and whoever comes to it: the next person finds it as it was new.

It must never sign somebody in another way than pages do where signing in is what is shown.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import User
from notifications import buyer_links
from orders.models import Order
from tests.browser.reader import Reader, session_of
from tests.examples.window import DESK, PHONE, Buyer

Come = Callable[..., Buyer]
PASSWORD = "a long password"


class Visitor(Reader):
    """A window with what the longer journeys need."""

    def enter(self, field: str, words: str) -> None:
        """Fill in a field of the page's own part, by its name."""
        self.page.locator(f"main [name={field}]:visible").first.fill(words)

    def tick(self, field: str, value: str) -> None:
        self.page.locator(f"main [name={field}][value='{value}']").check()

    def choose(self, field: str, value: str) -> None:
        self.page.locator(f"main select[name={field}]").select_option(value)

    def upload(self, field: str, path: str) -> None:
        self.page.locator(f"main [name={field}]").set_input_files(path)

    def click(self, words: str) -> None:
        """Press a button, or follow a link that looks like one, and see the next page."""
        main = self.page.locator("main")
        button = main.get_by_role("button", name=words, exact=True)
        button.or_(main.get_by_role("link", name=words, exact=True)).first.click()
        self.page.wait_for_load_state()

    def take(self, words: str) -> bytes:
        """Download what a link hands out."""
        with self.page.expect_download() as handed:
            self.page.locator("main").get_by_role("link", name=words, exact=True).first.click()
        return Path(handed.value.path()).read_bytes()

    def wait_to_read(self, words: str) -> None:
        """Wait until the page says so by itself."""
        self.page.locator("main").get_by_text(words).first.wait_for()

    def read(self, part: str = "main") -> str:
        """What stands there, as somebody reads it."""
        self.page.wait_for_load_state()
        text = " ".join(self.page.locator(part).first.inner_text().split())
        return text.replace("\xa0", " ")

    def attribute(self, part: str, name: str) -> str | None:
        found: str | None = self.page.locator(part).first.get_attribute(name)
        return found

    def force(self, form: str) -> None:
        """Send a form whose button is switched off, as somebody with a console would."""
        with self.page.expect_navigation():
            self.page.locator(form).first.evaluate("form => form.submit()")


@pytest.fixture(scope="module")
def browser() -> Iterator[Buyer]:
    """One browser for all tests of the module."""
    window = Buyer("visitor", Visitor)
    yield window
    window.close()


@pytest.fixture
def come(browser: Buyer, live_server: Any) -> Come:
    """Sit down as somebody: `come(user, phone=True, scripts=False)`."""

    def came(user: User | None = None, *, phone: bool = False, scripts: bool = True) -> Buyer:
        _name, options = PHONE if phone else DESK
        browser.come(options | {"locale": "en-US", "java_script_enabled": scripts})
        if user is not None:
            browser.sign_in(live_server.url, session_of(user))
        return browser

    return came


def member(name: str, **whose: Any) -> User:
    """Somebody of a seller or a platform: `member("seller", merchant=…)`."""
    return User.objects.create_user(name, f"{name}@example.com", PASSWORD, **whose)


def link_of(order: Order) -> str:
    """The path of a buyer's link, as a mail has it."""
    path = buyer_links.order_path(order.pk)
    return f"{path}/{buyer_links.sign(path, until=timezone.now() + timedelta(days=1))}"
