"""Why: what a page shows came from strangers, and what a browser sends may be another page's idea.

Every address of the portal is tried, those to come as well.
"""

from collections.abc import Callable

from django.test import Client

from ledger import selectors as books
from tests.admin.conftest import full, market
from tests.browser import gallery
from tests.factories import UserFactory
from tests.portal.things import addresses, plain_addresses, things
from tests.signing import sign_in as open_session
from tests.world import World

__all__ = ["full", "market"]

SignIn = Callable[..., Client]
RAW = "<script>alert("  # of the hostile text, as only a page that escapes nothing would show it


def test_no_address_takes_a_form_of_another_page(full: World) -> None:
    """Without the token, and with that of somebody else's session."""
    found = [*addresses(things(full)), *plain_addresses()]
    client = Client(enforce_csrf_checks=True)
    open_session(UserFactory(platform=full.platform), client=client, again=True)
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/accounts/login/")
    token = stranger.cookies["csrftoken"].value
    before = books.trial_balance()

    taken = {
        address
        for address in found
        for body in ({}, {"csrfmiddlewaretoken": token})
        if client.post(address, body).status_code != 403
    }

    assert taken == set()
    assert books.trial_balance() == before


def test_no_page_shows_what_somebody_wrote_as_markup(full: World, sign_in: SignIn) -> None:
    known = things(full)
    readers = {
        "seller": sign_in(merchant=full.merchants[0], fresh=True),
        "platform": sign_in(platform=full.platform, fresh=True),
    }
    answers = {
        (who, address): client.get(address)
        for who, client in readers.items()
        for address in [*addresses(known), *plain_addresses()]
    }
    for page in gallery.BUYER:
        buyer = Client()
        if page.entered_by is not None:
            buyer.get(page.entered_by(full))
        answers["buyer", page.name] = buyer.get(page.address(full))
    pages = {
        where: answer.content.decode()
        for where, answer in answers.items()
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    }

    assert len(pages) > 60
    assert [where for where, page in pages.items() if RAW in page] == []
    assert sum("&lt;script&gt;alert(" in page for page in pages.values()) > 20


def test_session_dies_at_the_sign_out_and_no_other_one(full: World) -> None:
    user = UserFactory(platform=full.platform)
    client, again = open_session(user), open_session(user)
    kept = client.cookies["sessionid"].value
    assert client.get("/portal/").status_code == 200

    client.post("/accounts/logout/")

    thief = Client()
    thief.cookies["sessionid"] = kept
    assert thief.get("/portal/").status_code == 302
    assert again.get("/portal/").status_code == 200
