"""Why: a page that spills over a phone, asks another host, or shuts out a screen reader is broken,
and nobody sees it in the code.

Each run looks at each page in one of two looks, drawn anew; DRAW_SEED= draws the same again. With
SCREENSHOTS=<folder> every page, those of the admin too, is also photographed, in every look.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.conftest import full, market
from tests.browser import gallery
from tests.browser.reader import Reader, session_of
from tests.examples.window import Buyer, needs_browser
from tests.stage import transactional_db
from tests.world import World

__all__ = ["full", "market", "transactional_db"]

SCREENSHOTS = os.environ.get("SCREENSHOTS")
LOOKS = gallery.ALL_LOOKS if SCREENSHOTS else gallery.TESTED_LOOKS


@pytest.fixture
def open_windows() -> Iterator[list[Buyer]]:
    windows: list[Buyer] = []
    yield windows
    for each in windows:
        each.close()


def test_every_page_of_the_portal_is_in_the_gallery() -> None:
    assert gallery.unlisted() == set()


@needs_browser
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_pages_fit_keep_to_themselves_and_can_be_used_by_everybody(
    full: World, live_server: Any, open_windows: list[Buyer], look: gallery.Look
) -> None:
    people = gallery.make_people(full)
    sessions = {who: session_of(user) for who, user in people.items()} | {"nobody": ""}
    pages = gallery.tested_pages()
    if SCREENSHOTS:
        pages += gallery.admin_pages()
    else:
        first = (int(os.environ["DRAW_SEED"]) + LOOKS.index(look)) % len(LOOKS)
        pages = pages[first :: len(LOOKS)]
    wrong = []
    window = Buyer(look.name, Reader, **look.options)
    open_windows.append(window)
    for page in pages:
        window.become(live_server.url, sessions[page.who], look)
        picture = str(Path(SCREENSHOTS) / look.name / f"{page.name}.png") if SCREENSHOTS else ""
        if page.entered_by is not None:
            window.follow(live_server.url + page.entered_by(full))
        found = window.inspect(live_server.url + page.address(full), picture)
        wrong += [f"{page.name}: {each}" for each in found]

    assert wrong == []


@needs_browser
def test_reader_notices_what_is_wrong(open_windows: list[Buyer]) -> None:
    window = Buyer("broken", Reader, **gallery.TESTED_LOOKS[1].options)
    open_windows.append(window)
    url = "http://127.0.0.1:9/broken"
    window.pretend("http://127.0.0.2:9/elsewhere.js", "")
    window.pretend(
        url,
        """<html lang="en"><title>x</title><main style="width: 900px"><img src="data:,">
        <script src="http://127.0.0.2:9/elsewhere.js"></script>
        <script>console.error("I complain")</script></main></html>""",
    )

    found = " ".join(window.inspect(url, ""))

    for each in ("wide on 390", "complains: I complain", "asks 127.0.0.2:9", "image-alt"):
        assert each in found
