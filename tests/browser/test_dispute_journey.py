"""Why: whoever got half of what was bought gets half of the money, by a phone without scripts, and
both sides read on their pages what the books say.
"""

import re
from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils import timezone

from channels import contract
from escrow.models import Evidence, Refund
from escrow.services import refund as refunds
from tests import ground
from tests import world as worlds
from tests.admin.conftest import market
from tests.browser.test_journeys import buyer_link, open_window, seller_of
from tests.examples.window import Buyer, needs_browser
from tests.stage import transactional_db
from tests.world import World

__all__ = ["market", "open_window", "transactional_db"]

pytestmark = needs_browser
Open = Callable[..., Buyer]


def test_buyer_gets_half_back_by_an_offer(
    market: World, live_server: Any, open_window: Open
) -> None:
    market.sandbox.clock.now = timezone.now()  # or the time to complain is over
    order = ground.shipped_order(market)
    buyer = open_window(phone=True, scripts=False)
    seller = open_window(seller_of(market.merchants[0]))

    buyer.go(buyer_link(live_server, order))
    buyer.click_link("complain")
    buyer.type_into("main [name=text]", "One of two cups is broken.")
    buyer.send("main form")
    buyer.attach("main [name=file]", "cup.txt", b"the cup is broken\n")
    buyer.measure()
    buyer.send("main form")
    dispute = order.disputes.get()
    assert f"{Evidence.objects.get(dispute=dispute).name} 18" in buyer.read()

    seller.go(f"{live_server.url}/portal/")
    seller.click_link("/portal/disputes?state=seller")
    seller.click_link(f"/{dispute.pk}")
    assert "One of two cups is broken." in seller.read()
    seller.click_link("/offer")
    seller.type_into("main [name=amount]", "50.00")
    seller.send("main form")
    assert "Buyer CN¥50.00 Seller CN¥47.46 Commission CN¥2.25 Service fee CN¥0.30" in seller.read()
    seller.send("main form")
    assert "The buyer has to answer the offer of CN¥50.00" in seller.read()

    buyer.go(live_server.url + reverse("portal:buyer-dispute", args=[order.pk]))
    assert "The seller offers you CN¥50.00" in buyer.read()
    buyer.measure()
    buyer.click_link("accept")
    assert "The rest, CN¥50.01, is released to Seller 1" in buyer.read()
    buyer.measure()
    buyer.send("main form")
    assert "You get CN¥50.00 back, the way you paid." in buyer.read()

    assert balances() == {
        "channel_receivable": 10001,
        "merchant_payable": 4746,
        "platform_commission": 225,
        "refund_in_transit": 5000,
        "service_fee": 30,
    }
    pay_back(market, Refund.objects.get(hold__order=order))
    assert balances() == {
        "channel_receivable": 5001,
        "merchant_payable": 4746,
        "platform_commission": 225,
        "service_fee": 30,
    }
    buyer.go(live_server.url + reverse("portal:buyer-order", args=[order.pk]))
    assert re.search(r"Back with you since \d+ \w+ \d{4} CN¥50\.00", buyer.read())
    seller.go(live_server.url + reverse("portal:dispute", args=[dispute.pk]))
    assert "CN¥50.00 goes back to the buyer" in seller.read()
    assert "The rest, CN¥50.01, is with those who sold." in seller.read()
    assert (buyer.complaints, seller.complaints) == ([], [])


def pay_back(world: World, refund: Refund) -> None:
    """The channel is asked, and has paid."""
    assert refunds.claim_refund(refund_id=refund.pk, at=world.now)
    answer = worlds.answer(
        contract.Status.SUCCEEDED,
        reference=refund.pk,
        amount_minor=5000,
        provider_reference="SBR10001",
    )
    refunds.record_refund_answer(refund_id=refund.pk, answer=answer, at=world.now)


def balances() -> dict[str, int]:
    """What the books say, in minor units of CNY, without zeros."""
    return {name: balance for _currency, name, balance in ground.trial() if balance}
