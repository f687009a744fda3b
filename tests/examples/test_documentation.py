"""Why: the page on which a stranger first meets the API must work where he opens it: at a desk, on
a phone, in the dark, and with no other host to ask.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api import described
from tests.examples.street import Street
from tests.examples.window import DESK, PHONE, Buyer, Window, needs_browser

pytestmark = needs_browser


class ReadersWindow(Window):
    """A window with the page about the API in it."""

    def tags(self) -> list[str]:
        self.page.wait_for_selector(".opblock-tag")
        return [str(each) for each in self.page.locator(".opblock-tag").all_inner_texts()]

    def unlock(self, key: str) -> None:
        """Show the key, as for every operation to come."""
        self.page.locator(".auth-wrapper .authorize").click()
        self.measure()
        self.page.locator(".auth-container input").fill(key)
        self.page.locator(".auth-container").get_by_role("button", name="Apply").click()
        self.page.locator(".modal-ux .close-modal").click()

    def open(self, tag: str, operation: str) -> None:
        block = self._block(tag, operation)
        if not block.count():
            self.page.locator(f"#operations-tag-{tag}").click()
        block.locator(".opblock-summary-control").click()
        block.locator(".responses-wrapper .response").first.wait_for()
        self.measure()

    def sample(self, tag: str, operation: str) -> Any:
        """What the page proposes to send."""
        return json.loads(self._block(tag, operation).locator("textarea").input_value())

    def try_out(self, tag: str, operation: str) -> tuple[str, Any]:
        """Send what is filled in. Returns: the status and the body that came back."""
        block = self._block(tag, operation)
        block.locator("button.execute").click()
        answer = block.locator(".live-responses-table .response")
        answer.wait_for()
        self.measure()
        status = answer.locator(".response-col_status").inner_text()
        return status, json.loads(
            answer.locator(".response-col_description code").first.inner_text()
        )

    def is_dark(self) -> bool:
        color = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue = (int(each) for each in color[4:-1].split(","))
        return red + green + blue < 3 * 64

    def _block(self, tag: str, operation: str) -> Any:
        return self.page.locator(f"#operations-{tag}-{operation}")


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Iterator[Buyer]:
    name, options = request.param
    reader = Buyer(f"api-{name}", ReadersWindow, **options)
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("reader", "dark"), [(DESK, False), (PHONE, True)], ids=["desk", "phone"], indirect=["reader"]
)
def test_page_of_the_api_can_be_read_and_tried(street: Street, reader: Buyer, dark: bool) -> None:
    told = [tag for each in described.operations().values() for tag in each["tags"]]
    tags = list(dict.fromkeys(told))
    reader.go(f"{street.holdfast_url}/docs/api")

    assert reader.tags() == tags
    assert reader.is_dark() is dark
    reader.measure()
    reader.unlock(street.key)
    reader.open("Merchants", "merchants_list")
    status, answer = reader.try_out("Merchants", "merchants_list")
    reader.open("Orders", "orders_create")

    assert (status, [each["reference"] for each in answer["data"]]) == (
        "200",
        ["bamboo", "longjing"],
    )
    assert reader.sample("Orders", "orders_create")["reference"] == "A-1001"
    assert reader.complaints == []
    assert reader.hosts == {urlsplit(street.holdfast_url).netloc}
