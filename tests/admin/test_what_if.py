"""Why: an operator must see what another plan would have meant before anything is changed."""

from django.test import Client

from merchants import services as merchants
from merchants.models import CommissionPlan, User
from orders.models import Order
from tests import ground
from tests.admin.conftest import url
from tests.world import World

PAGE = "orders_order_what_if"


def draft(world: World) -> CommissionPlan:
    plan = merchants.create_plan(platform=world.platform, name="Draft", active=False, at=world.now)
    merchants.add_rule(
        plan=plan, currency="CNY", rate_bps=1000, effective_from=world.now, at=world.now
    )
    return plan


def test_what_if_shows_totals_chart_and_orders(signed_in: Client, market: World) -> None:
    order = ground.paid_order(market)
    ground.order_in(market, "CREATED")
    terms = list(Order.objects.order_by("pk").values_list("terms", flat=True))

    text = signed_in.get(url(PAGE), {"plan": draft(market).pk, "since": ""}).content.decode()

    assert order.pk in text
    for shown in ("4.50", "9.00", "94.91", "90.41"):  # commission and the seller's part, old, new
        assert shown in text
    assert text.count('class="hf-bar-old"') == text.count('class="hf-bar-new"') == 1
    assert "<script>" not in text[text.index("hf-chart") : text.index("hf-legend")]
    assert list(Order.objects.order_by("pk").values_list("terms", flat=True)) == terms


def test_what_if_of_later_orders_finds_none(signed_in: Client, market: World) -> None:
    ground.paid_order(market)

    text = signed_in.get(
        url(PAGE), {"plan": draft(market).pk, "since": "2126-01-01"}
    ).content.decode()

    assert "No sold orders." in text
    assert "hf-bar-old" not in text


def test_what_if_asks_first_and_needs_the_right(signed_in: Client, market: World) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("clerk", is_staff=True))

    assert signed_in.get(url(PAGE)).status_code == 200
    assert stranger.get(url(PAGE), {"plan": draft(market).pk}).status_code == 403
