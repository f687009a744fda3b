"""Why: a platform must see that money is on hold and never read why: silence may be ordered."""

import pytest

from demo import clockwork
from escrow.models import FreezeKind
from escrow.services import freezes
from merchants.models import Merchant
from payouts.models import Payout
from payouts.services import freezing
from tests import ground
from tests.api.shop import Shop

WHY = "letter of the court"


@pytest.mark.parametrize("what", ["seller", "payout"])
def test_payout_says_that_it_is_frozen_and_nothing_says_why(shop: Shop, what: str) -> None:
    shop.confirm(shop.shipped_order())
    at = shop.sandbox.clock.now
    clockwork.SWEEPS["payouts.cut_due_settlements"](at=at)
    seller = Merchant.objects.get()
    payout = Payout.objects.get(merchant=seller)
    said = {"kind": FreezeKind.LEGAL, "reason": WHY, "operator": ground.operator("first")}
    before = shop.get(f"/v1/payouts/{payout.id}").json()

    if what == "seller":
        freeze = freezes.freeze_seller(merchant_id=seller.id, at=at, **said)
    else:
        freeze = freezing.freeze_payout(payout_id=payout.id, at=at, **said)

    after = shop.get(f"/v1/payouts/{payout.id}").json()
    listed = shop.get(f"/v1/payouts?merchant={seller.id}").json()["data"]
    told = shop.get("/v1/events?limit=100").content.decode()
    assert (before["frozen"], after["frozen"]) == (False, True)
    assert [each["frozen"] for each in listed] == [True]
    assert freeze.id in told
    assert WHY not in told
    assert "LEGAL" not in told


def test_paid_payout_of_a_frozen_seller_is_not_called_frozen(shop: Shop) -> None:
    shop.confirm(shop.shipped_order())
    shop.remit()
    shop.settle()
    seller = Merchant.objects.get()

    freezes.freeze_seller(
        merchant_id=seller.id,
        kind=FreezeKind.RISK,
        reason=WHY,
        operator=ground.operator("first"),
        at=shop.sandbox.clock.now,
    )

    (found,) = shop.get(f"/v1/payouts?merchant={seller.id}").json()["data"]
    assert (found["state"], found["frozen"]) == ("PAID", False)
