"""Who gets how much of an order's money: planned from its frozen terms, kept with the hold, and
diminished by refunds.

It must never post: what a share comes to is booked by the release, the refund or the claw-back.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from escrow.models import Dispute, Hold, HoldShare, Payee, Refund, RefundShare
from escrow.reversal import Part, plan_reversal, shares_left
from escrow.split import Share, hold_back, put_back, split_order
from ledger import chart
from merchants.reserve_policy import ReservePolicy
from merchants.terms import Terms
from orders.models import Order


def plan_shares(order: Order, *, channel: str | None = None) -> tuple[Share, ...]:
    """Compute who gets what of an order from its frozen terms.

    Args: channel: what the buyer has paid through; None: not paid yet.
    """
    return _split(order, Terms.from_json(order.terms).under(channel))


def plan_hold(order: Order, *, channel: str | None) -> tuple[tuple[Share, ...], ReservePolicy]:
    """Compute who gets what when an order's money is released, and what of it is held back.

    Args: channel: what the buyer has paid through; None: not paid yet.
    """
    terms = Terms.from_json(order.terms)
    shares = _split(order, terms.under(channel))
    return hold_back(shares, reserve_bps=terms.reserve.bps), terms.reserve


def planned_shares(terms: Terms, *, platform_id: str) -> tuple[Share, ...]:
    """Compute who would get what of a sale under these terms, held back parts apart. Pure."""
    shares = _split_terms(terms, platform_id=platform_id)
    return hold_back(shares, reserve_bps=terms.reserve.bps)


def _split(order: Order, terms: Terms) -> tuple[Share, ...]:
    return _split_terms(terms, platform_id=order.platform_id)


def _split_terms(terms: Terms, *, platform_id: str) -> tuple[Share, ...]:
    return split_order(
        amount_minor=terms.amount_minor,
        commission_minor=terms.commission_minor,
        service_fee_minor=terms.service_fee_minor,
        merchant_id=terms.merchant_id,
        platform_id=platform_id,
        tax_minor=terms.tax_minor,
        parties=[(part.party_id, part.amount_minor) for part in terms.parties],
    )


def plan_returns(order: Order, *, channel: str) -> tuple[Part, ...]:
    """Compute what each payee gives when an order is refunded, from its frozen terms. The tax on
    the commission goes the way of the commission."""
    terms = Terms.from_json(order.terms).under(channel)
    policy = terms.refund
    return plan_reversal(
        _split(order, terms),
        returned_bps={
            Payee.PLATFORM: policy.commission_returned_bps,
            Payee.TAX: policy.commission_returned_bps,
            Payee.SERVICE_FEE: policy.service_fee_returned_bps,
            Payee.PARTY: policy.party_returned_bps,
        },
        merchant_address=chart.merchant_payable(order.merchant_id),
        channel_fee_minor=policy.channel_fee_minor(
            amount_minor=terms.amount_minor, service_fee_minor=terms.service_fee_minor
        ),
        channel_fee_returned_bps=policy.channel_fee_returned_bps,
    )


def keep_shares(hold: Hold, shares: Sequence[Share], *, accounts: dict[str, int]) -> None:
    """Step: write who gets what when the hold is released. Args: accounts: id by address."""
    assert connection.in_atomic_block
    HoldShare.objects.bulk_create(
        HoldShare(
            hold=hold,
            leg=leg,
            payee=share.payee,
            address=share.address,
            account_id=accounts[share.address],
            amount_minor=share.amount_minor,
        )
        for leg, share in enumerate(shares, start=2)
    )


def shares_after(order: Order, hold: Hold, *, amount_minor: int) -> tuple[Share, ...]:
    """Compute who gets what of the rest once so much more goes back to the buyer.

    Args: amount_minor: > 0, at most what is held.
    """
    parts = plan_returns(order, channel=hold.payment.channel)
    return shares_left(parts, refunded_minor=hold.refunded_minor + amount_minor)


def take_held(
    hold: Hold, *, amount_minor: int, shares: Sequence[Share], at: datetime
) -> list[Share]:
    """Step: so much of what is held goes back to the buyer; all of it closes the hold, which the
    caller has locked and is HELD.

    Args: amount_minor: > 0, at most what is held. shares: who gets what of the rest.
    Returns: what was taken from each payee, without zeros.
    """
    if amount_minor == hold.remaining_minor:
        hold.refund(at=at)
    else:
        hold.refund_part(amount_minor)
    hold.save(update_fields=["state", "refunded_minor", "closed_at"])
    return replace_shares(hold, shares)


def replace_shares(hold: Hold, shares: Sequence[Share]) -> list[Share]:
    """Step: the hold is worth less now. The caller has locked it.

    Args: shares: as planned for what is left; nobody gets more than before.
    Returns: what was taken from each payee, without zeros.
    """
    assert connection.in_atomic_block
    before = list(HoldShare.objects.filter(hold=hold).order_by("leg"))
    accounts = {share.address: share.account_id for share in before}
    HoldShare.objects.filter(hold=hold).delete()
    kept = hold_back(shares, reserve_bps=hold.reserve_bps)
    keep_shares(hold, kept, accounts=accounts)
    left = {(share.payee, share.address): share.amount_minor for share in kept}
    taken = [
        Share(
            share.payee,
            share.address,
            share.amount_minor - left.get((share.payee, share.address), 0),
        )
        for share in before
    ]
    assert all(share.amount_minor >= 0 for share in taken), (hold.pk, taken)
    return put_back(taken)


def keep_refund_shares(refund: Refund, taken: Sequence[Share]) -> None:
    """Step: write from whom a refund was taken."""
    assert sum(share.amount_minor for share in taken) == refund.amount_minor, (refund.pk, taken)
    _keep_taken(taken, refund=refund)


def keep_chargeback_shares(dispute: Dispute, taken: Sequence[Share]) -> None:
    """Step: write from whom a chargeback was taken."""
    assert sum(share.amount_minor for share in taken) == dispute.asked_minor, (dispute.pk, taken)
    _keep_taken(taken, dispute=dispute)


def _keep_taken(taken: Sequence[Share], **cause: Refund | Dispute) -> None:
    RefundShare.objects.bulk_create(
        RefundShare(
            **cause,
            payee=share.payee,
            address=share.address,
            amount_minor=share.amount_minor,
        )
        for share in taken
    )
