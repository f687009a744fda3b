"""The list of orders as a file, in the reader's language and time zone.

It must never show more than the list itself would.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from api import status
from orders.models import Order
from portal.access import member_of
from portal.jobs import Outcome, Work
from portal.order_filters import OrderFilters
from portal.sheets import Amount, write_table
from portal.states import STATUSES

KIND = "export_orders"
MOST_ROWS = 50_000
BATCH = 500
HEAD = (
    _("Order"),
    _("Id"),
    _("Seller"),
    _("Buyer"),
    _("State"),
    _("Currency"),
    _("Amount"),
    _("Goods"),
    _("Shipping"),
    _("Created"),
    _("Paid at"),
    _("Ship by"),
    _("Shipped"),
    _("Parcels"),
    _("Confirm by"),
    _("Confirmed"),
)


def write_orders(work: Work) -> Outcome:
    """Write the orders a list showed, newest first. Args: work: wanted is `form`, csv or xlsx, and
    `query`, the list's query string."""
    member = member_of(work.job)
    with timezone.override(member.zone):
        filters = OrderFilters(
            QueryDict(work.job.wanted["query"]),
            currency=member.platform.currency,
            with_seller=not member.is_seller,
        )
        rows = filters.among(member.orders())
        total = rows.count()
        fits = min(total, MOST_ROWS)
        name = f"orders-{timezone.localtime(work.at):%Y%m%d-%H%M}"
        cells = islice(_rows(rows, work, fits), MOST_ROWS)
        file = write_table(form=work.job.wanted["form"], name=name, head=HEAD, rows=cells)
    return Outcome(file=file, counts={"rows": fits, "left_out": total - fits})


def _rows(rows: QuerySet[Order], work: Work, total: int) -> Iterator[list[Any]]:
    done, last = 0, ""
    rows = rows.prefetch_related("shipments").order_by("-pk")
    while page := list((rows.filter(pk__lt=last) if last else rows)[:BATCH]):
        found = status.statuses(page)
        for order in page:
            yield _cells(order, STATUSES[found[order.pk]])
        last = page[-1].pk
        done += len(page)
        work.tell(min(done, total), total)


def _cells(order: Order, label: Any) -> list[Any]:
    parcels = sorted(order.shipments.all(), key=lambda parcel: parcel.position)
    return [
        order.reference,
        order.pk,
        order.merchant.name,
        order.buyer_name,
        label,
        order.currency,
        Amount(order.amount_minor, order.currency),
        Amount(order.goods_minor, order.currency),
        Amount(order.shipping_minor, order.currency),
        order.created_at,
        order.paid_at,
        order.ship_by,
        order.shipped_at,
        ", ".join(str(parcel) for parcel in parcels),
        order.confirm_by,
        order.confirmed_at,
    ]
