"""The receipt an operator hands out is the one the API answers, and nobody else's to take."""

from django.test import Client

from escrow import receipts
from escrow.models import Release
from merchants.models import User
from orders.models import Order
from tests import ground
from tests.admin.conftest import page, url
from tests.world import World


def test_receipt_is_offered_on_both_pages_and_downloaded_as_signed(
    signed_in: Client, market: World
) -> None:
    order = ground.released_order(market)
    release = Release.objects.get(hold__order=order)
    address = url("escrow_release_receipt", release.pk)

    pages = [page(Release, "change", release.pk), page(Order, "change", order.pk)]
    shown = [signed_in.get(each).content.decode() for each in pages]
    answer = signed_in.get(address)

    assert all(f'href="{address}"' in each for each in shown)
    assert answer.content == receipts.make_receipt(release)
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="receipt-{release.pk}.json"'
    )


def test_order_that_is_not_released_offers_no_receipt(signed_in: Client, market: World) -> None:
    order = ground.shipped_order(market)

    shown = signed_in.get(page(Order, "change", order.pk)).content.decode()

    assert "receipt.json" not in shown
    assert signed_in.get(url("escrow_release_receipt", "rel_0")).status_code == 404


def test_receipt_is_closed_to_everybody_else(market: World) -> None:
    release = Release.objects.get(hold__order=ground.released_order(market))
    clerk = User.objects.create_user("clerk", "clerk@example.com", "long enough", is_staff=True)

    for user, status in ((clerk, 403), (None, 302)):
        client = Client()
        if user:
            client.force_login(user)
        assert client.get(url("escrow_release_receipt", release.pk)).status_code == status
