"""Why: one person alone must never send money out, whatever buttons that person finds."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from merchants.models import User
from tests import ground, signing
from tests.admin.conftest import market, replaced_payout, url
from tests.browser.visitors import PASSWORD, Come, browser, come
from tests.examples.window import Buyer, needs_browser
from tests.stage import transactional_db
from tests.world import World

__all__ = ["browser", "come", "market", "transactional_db"]

pytestmark = needs_browser
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of an authenticator app: base32
FORM = "form:has(textarea, [name=reason])"


@pytest.fixture(autouse=True)
def guarded(settings: Any) -> None:
    settings.OPERATOR_MFA = True


def operator(name: str) -> User:
    made = User.objects.create_superuser(name, f"{name}@example.com", PASSWORD)
    TOTP.activate(made, SECRET)
    return made


def sign_in(window: Buyer, who: User, base_url: str) -> None:
    """With the password and a code of the app, as operators do."""
    window.go(f"{base_url}/admin/")
    window.enter("login", who.username)
    window.enter("password", PASSWORD)
    window.click("Sign in")
    window.enter("code", format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))
    window.click("Sign In")


def test_payout_is_refused_to_who_asked_for_it_and_approved_by_another(
    market: World, live_server: Any, come: Come
) -> None:
    first, second = operator("first"), operator("second")
    payout = replaced_payout(market, first)
    address = live_server.url + url("payouts_payout_approve", payout.pk)
    sentence = "You asked for this payout; another operator has to approve it."
    books = ground.trial()

    asker = come()
    session = signing.sign_in(first, method="mfa", again=True).cookies["sessionid"]
    asker.sign_in(live_server.url, session.value)
    asker.go(address)
    shown, button = asker.read("body"), asker.attribute(f"{FORM} [type=submit]", "disabled")
    asker.type_into("[name=reason]", "I want it")
    asker.force(FORM)
    refused = asker.read("body")
    payout.refresh_from_db()
    tried = (payout.state, payout.approved_by, ground.trial() == books)
    other = come()
    sign_in(other, second, live_server.url)
    other.go(address)
    other.type_into("[name=reason]", "seen the statement")
    other.press("Approve", FORM)
    other.wait_for(live_server.url + url("payouts_payout_change", payout.pk))

    assert sentence in shown
    assert button is not None
    assert sentence in refused
    assert tried == ("PENDING", None, True)
    payout.refresh_from_db()
    assert (payout.state, payout.approved_by) == ("APPROVED", second)
    assert dict(payout.audit.order_by("pgh_id").last().pgh_context) == {
        "actor": f"operator:{second.pk}",
        "reason": "seen the statement",
    }
