"""Orders, their lines, parcels and payments; the files are named by content.

A transition only sets fields; services lock the row, call it, and write the books. Never the
other way round.
"""

from orders.models.orders import (
    MAX_PARCELS,
    NAMED,
    SEARCHED_NAME,
    CancelReason,
    ConfirmedBy,
    Delivery,
    Order,
    OrderLine,
    OrderState,
    Shipment,
)
from orders.models.payments import Payment, PaymentOrder, PaymentState

__all__ = [
    "MAX_PARCELS",
    "NAMED",
    "SEARCHED_NAME",
    "CancelReason",
    "ConfirmedBy",
    "Delivery",
    "Order",
    "OrderLine",
    "OrderState",
    "Payment",
    "PaymentOrder",
    "PaymentState",
    "Shipment",
]
