"""Where orders and payments are locked, always in this order: orders by id, then the payment.

Decide only on what these functions return (reliability rule R5): an object read earlier may be
stale.
"""

from collections.abc import Iterable

from django.db import connection

from common.errors import DomainError
from orders.models import Order, Payment


class OrderNotFound(DomainError):
    code = "order_not_found"
    status = 404


class PaymentNotFound(DomainError):
    code = "payment_not_found"
    status = 404


def lock_orders(order_ids: Iterable[str]) -> dict[str, Order]:
    """Lock several orders in id order. Raises: OrderNotFound when one is missing."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    wanted = sorted(set(order_ids))
    rows = {
        order.id: order
        for order in Order.objects.filter(pk__in=wanted).order_by("pk").select_for_update()
    }
    for order_id in wanted:
        if order_id not in rows:
            raise OrderNotFound(f"There is no order {order_id}.", order=order_id)
    return rows


def lock_order(order_id: str) -> Order:
    """Lock one order. Raises: OrderNotFound."""
    return lock_orders([order_id])[order_id]


def lock_payment(payment_id: str) -> Payment:
    """Lock one payment, after its orders. Raises: PaymentNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    # FOR NO KEY UPDATE: who saves a row twice that points at the payment need not wait.
    payment = Payment.objects.filter(pk=payment_id).select_for_update(no_key=True).first()
    if payment is None:
        raise PaymentNotFound(f"There is no payment {payment_id}.", payment=payment_id)
    return payment
