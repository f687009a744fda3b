"""Both sides read the same instant in their own time zone, by its name; the API says it in UTC."""

from datetime import timedelta

import pytest
from django.core import mail

from merchants import services as merchants
from merchants.services.platforms import MerchantInvalid
from notifications import services as notifications
from notifications.models import Event
from orders.models import Order
from orders.services import extensions
from tests import ground
from tests.world import World

DAY = timedelta(days=1)


def shipped(market: World, **changes: str) -> Order:
    order, _token = market.create_order(**changes)
    ground.capture(ground.make_payment(market, order))
    market.ship(order)
    return order


def told(market: World, subject: str) -> dict[str, str]:
    mail.outbox.clear()
    notifications.relay_due_events(at=market.now)
    return {each.to[0]: each.body for each in mail.outbox if subject in each.subject}


@pytest.mark.parametrize(
    ("seller", "buyer", "said"),
    [
        ("", "", ("2026-03-17 17:00 (Asia/Shanghai)", "2026-03-17 17:00 (Asia/Shanghai)")),
        # Clocks in New York went forward on 8 March: the tenth day is at another hour there.
        (
            "Europe/London",
            "America/New_York",
            ("2026-03-17 09:00 (Europe/London)", "2026-03-17 05:00 (America/New_York)"),
        ),
    ],
)
def test_each_side_reads_the_date_in_its_own_zone(
    market: World, seller: str, buyer: str, said: tuple[str, str]
) -> None:
    merchants.update_merchant(merchant=market.merchants[0], time_zone=seller)
    order = shipped(market, buyer_time_zone=buyer)

    extensions.extend_confirmation(order_id=order.id, by="BUYER", at=market.now)

    mails = told(market, "to confirm")
    assert said[0] in mails["seller1@example.com"]
    assert said[1] in mails["buyer@example.com"]
    event = Event.objects.get(subject_id=order.id, type="order.confirm_extended")
    assert event.data["confirm_by"] == "2026-03-17T09:00:00.000000+00:00"


def test_zone_of_the_buyer_is_told_only_where_buyers_are(market: World) -> None:
    order = shipped(market, buyer_time_zone="Europe/London")
    market.confirm(order)

    told_of = Event.objects.filter(subject_id=order.id)

    assert told_of.count() == 4
    assert not told_of.filter(data__has_key="buyer_time_zone").exists()


def test_unknown_zones_are_refused(market: World) -> None:
    refused = ground.refusal(lambda: market.create_order(buyer_time_zone="Mars/Olympus"))

    assert (refused.code, refused.facts["field"]) == ("order_invalid", "buyer_time_zone")
    with pytest.raises(MerchantInvalid):
        merchants.update_merchant(merchant=market.merchants[0], time_zone="../etc/passwd")
