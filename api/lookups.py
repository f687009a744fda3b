"""Finding what a caller names, within the caller's platform.

It must never tell a foreign object from a missing one.
"""

from collections.abc import Sequence

from channels import contract, registry
from common.errors import DomainError
from escrow import selectors as escrow
from escrow.locks import DebtNotFound
from escrow.models import Debt
from merchants import selectors as merchants
from merchants.models import Merchant, Party, Platform
from orders import selectors
from orders.locks import OrderNotFound, PaymentNotFound
from orders.models import Order, Payment
from orders.services.creation import MerchantUnavailable


class SourceNotFound(DomainError):
    """There is no such channel or bank, or it is disabled."""

    code = "source_not_found"
    status = 404


class PartyNotFound(DomainError):
    """There is no such further party on this platform."""

    code = "party_not_found"
    status = 422


def get_order(*, platform: Platform, order_id: str) -> Order:
    """Return the platform's order. Raises: OrderNotFound."""
    order = selectors.get_order(platform_id=platform.id, order_id=order_id)
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.", order=order_id)
    return order


def get_payment(*, platform: Platform, payment_id: str) -> Payment:
    """Return the platform's payment. Raises: PaymentNotFound."""
    payment = selectors.get_payment(platform_id=platform.id, payment_id=payment_id)
    if payment is None:
        raise PaymentNotFound(f"There is no payment {payment_id}.", payment=payment_id)
    return payment


def get_debt(*, platform: Platform, debt_id: str) -> Debt:
    """Return a debt of the platform's payees. Raises: DebtNotFound."""
    debt = escrow.debts_of(platform_id=platform.id).filter(pk=debt_id).first()
    if debt is None:
        raise DebtNotFound(f"There is no debt {debt_id}.", debt=debt_id)
    return debt


def get_merchant(*, platform: Platform, merchant_id: str) -> Merchant:
    """Return the platform's seller. Raises: MerchantUnavailable, as for one who is not active."""
    merchant = merchants.get_merchant(platform_id=platform.pk, merchant_id=merchant_id)
    if merchant is None:
        raise MerchantUnavailable(
            "This seller is not an active seller of the platform.",
            field="merchant",
            merchant=merchant_id,
        )
    return merchant


def get_party(*, platform: Platform, party_id: str) -> Party:
    """Return the platform's further party. Raises: PartyNotFound."""
    party = merchants.parties_of(platform_id=platform.pk).filter(pk=party_id).first()
    if party is None:
        raise PartyNotFound(
            "This party is no further party of the platform.", field="party", party=party_id
        )
    return party


def require_orders(*, platform: Platform, order_ids: Sequence[str]) -> None:
    """Check that the orders are the platform's, before they are locked. Raises: OrderNotFound."""
    own = set(
        Order.objects.filter(platform=platform, pk__in=order_ids).values_list("pk", flat=True)
    )
    for order_id in order_ids:
        if order_id not in own:
            raise OrderNotFound(f"There is no order {order_id}.", order=order_id)


def get_notifier(*, kind: str, name: str) -> contract.Notifier:
    """Return the client that can verify this source's messages. Raises: SourceNotFound."""
    listing, find = {
        "channels": (registry.list_channels, registry.get_channel),
        "rails": (registry.list_rails, registry.get_rail),
    }[kind]
    if not any(source.name == name and source.enabled for source in listing()):
        raise SourceNotFound(f"There is no source {name} here, or it is disabled.")
    return find(name)
