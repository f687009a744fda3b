"""Creating many orders at once: all of them or none, in as few statements as for one.

It must never create what `creation.create_order` would refuse.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import services as merchants
from merchants import terms as commission
from merchants.models import Merchant, Platform
from orders import events
from orders.models import Order, OrderLine
from orders.services import creation
from orders.services.creation import NewOrder

MAX_ORDERS = 500
LINES_PER_STATEMENT = 5_000

# A seller the platform does not have is None.
Wanted = Sequence[tuple[Merchant | None, NewOrder]]
Checked = Sequence[tuple[Merchant, NewOrder]]


class OrdersRefused(DomainError):
    """At least one order of the list is wrong, so none was created. `orders` names each wrong one:
    its position in the list, from 0, and why."""

    code = "orders_refused"
    status = 422


class ListTooLong(DomainError):
    """One request creates 1 to 500 orders."""

    code = "orders_list_length"
    status = 422


def create_orders(*, platform: Platform, wanted: Wanted, at: datetime) -> list[tuple[Order, str]]:
    """Create up to 500 orders as `create_order` creates one: all or nothing.

    Money: none.
    Returns: each order with its buyer's token, in the order asked for.
    Raises: ListTooLong, OrdersRefused.
    Idempotent: by (platform, reference): a list with one known reference is refused.
    """
    if not 1 <= len(wanted) <= MAX_ORDERS:
        raise ListTooLong(f"Send 1 to {MAX_ORDERS} orders at once.", field="orders")
    checked, wrong = _check(platform, wanted)
    with use_case():
        known = _known_references(platform, [new.reference for _, new in wanted])
        _refuse(_taken(wanted, known) | wrong)
        made = _make_rows(platform, checked, at=at)
        orders = [order for order, _ in made]
        # A reference that somebody else takes at this very moment is passed over, and found below.
        # By reference, or two lists that wait for each other's would deadlock.
        Order.objects.bulk_create(
            sorted(orders, key=lambda order: order.reference), ignore_conflicts=True
        )
        written = set(
            Order.objects.filter(pk__in=[order.pk for order in orders]).values_list("pk", flat=True)
        )
        lost = {order.reference for order in orders if order.pk not in written}
        _refuse(_taken(wanted, lost))
        OrderLine.objects.bulk_create(
            (
                line
                for order, (_, new) in zip(orders, checked, strict=True)
                for line in creation.line_rows(order, new)
            ),
            batch_size=LINES_PER_STATEMENT,
        )
        events.record_created_orders(orders, at=at)
    return made


def _make_rows(platform: Platform, checked: Checked, *, at: datetime) -> list[tuple[Order, str]]:
    sales = [
        commission.Sale(
            merchant_id=merchant.pk,
            currency=new.currency,
            lines=creation.ordered_lines(new),
            shipping_minor=new.shipping_minor,
        )
        for merchant, new in checked
    ]
    frozen = merchants.freeze_terms_of_all(
        platform=platform,
        sellers={merchant.pk: merchant for merchant, _new in checked},
        sales=sales,
        volume=creation.volume_at(at),
        at=at,
    )
    made = []
    for (merchant, new), terms in zip(checked, frozen, strict=True):
        token = secrets.token_urlsafe(32)
        order = creation.order_row(
            platform=platform, merchant=merchant, new=new, terms=terms, token=token, at=at
        )
        made.append((order, token))
    return made


def _check(platform: Platform, wanted: Wanted) -> tuple[Checked, dict[int, DomainError]]:
    """Find what is wrong without asking the database. Returns: the good ones, and by position why
    the others are refused."""
    good: list[tuple[Merchant, NewOrder]] = []
    wrong: dict[int, DomainError] = {}
    seen: set[str] = set()
    for position, (merchant, new) in enumerate(wanted):
        try:
            if merchant is None:
                raise creation.seller_unavailable(None)
            creation.check_new_order(platform=platform, merchant=merchant, new=new)
            if new.reference in seen:
                raise creation.OrderReferenceTaken(
                    f"This list has another order {new.reference!r}.", reference=new.reference
                )
        except DomainError as refusal:
            wrong[position] = refusal
        else:
            seen.add(new.reference)
            good.append((merchant, new))
    return good, wrong


def _known_references(platform: Platform, references: Collection[str]) -> set[str]:
    known = Order.objects.filter(platform=platform, reference__in=references)
    return set(known.values_list("reference", flat=True))


def _taken(wanted: Wanted, references: Collection[str]) -> dict[int, DomainError]:
    return {
        position: creation.reference_taken(new)
        for position, (_, new) in enumerate(wanted)
        if new.reference in references
    }


def _refuse(wrong: dict[int, DomainError]) -> None:
    if not wrong:
        return
    raise OrdersRefused(
        f"{len(wrong)} of the orders cannot be created, so none was.",
        orders=[
            {"position": position, "code": found.code, "sentence": found.sentence, **found.facts}
            for position, found in sorted(wrong.items())
        ],
    )
