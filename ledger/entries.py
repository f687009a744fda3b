"""Posting rules: one function per business event. Pure; together with chart.py this is the whole
accounting.

Amounts of legs are signed minor units: a debit is positive, a credit negative. A leg of zero is
left out. What kinds there are, and which accounts each may touch, is in routes.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger import chart
from ledger.routes import ROUTES, EntryKind

__all__ = ["ROUTES", "Draft", "EntryKind", "Leg"]  # and one function per kind


@dataclass(frozen=True, slots=True)
class Leg:
    address: str
    amount_minor: int  # signed: debit > 0, credit < 0


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry not yet posted. `reference` is the business fact and unique for ever; `subject`
    is the id of the order (or payout, payment, remittance) whose timeline shows the entry and
    whose held money it moves."""

    kind: EntryKind
    reference: str
    subject: str
    currency: str
    legs: tuple[Leg, ...]


def _draft(
    kind: EntryKind, *, fact: str, subject: str, currency: str, legs: Iterable[Leg]
) -> Draft:
    kept = tuple(leg for leg in legs if leg.amount_minor)
    assert sum(leg.amount_minor for leg in kept) == 0, (kind, fact, kept)
    return Draft(
        kind=kind, reference=f"{kind}:{fact}", subject=subject, currency=currency, legs=kept
    )


def capture(
    *, payment_id: str, order_id: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """The buyer has paid for an order. Dr channel receivable / Cr held. One entry per payment
    and order."""
    return _draft(
        EntryKind.CAPTURE,
        fact=f"{payment_id}:{order_id}",
        subject=order_id,
        currency=currency,
        legs=(Leg(chart.channel_receivable(channel), amount_minor), Leg(chart.HELD, -amount_minor)),
    )


def surplus(*, surplus_id: str, channel: str, amount_minor: int, currency: str) -> Draft:
    """Money came that no order waits for (late or second payment). Dr channel receivable / Cr
    surplus."""
    return _draft(
        EntryKind.SURPLUS,
        fact=surplus_id,
        subject=surplus_id,
        currency=currency,
        legs=(
            Leg(chart.channel_receivable(channel), amount_minor),
            Leg(chart.surplus(channel), -amount_minor),
        ),
    )


def remittance(
    *,
    remittance_id: str,
    channel: str,
    custodian: str,
    gross_minor: int,
    fee_minor: int,
    currency: str,
) -> Draft:
    """The channel's money reached the supervised account. Dr reserve, Dr channel fee / Cr
    channel receivable."""
    return _draft(
        EntryKind.REMITTANCE,
        fact=remittance_id,
        subject=remittance_id,
        currency=currency,
        legs=(
            Leg(chart.reserve(custodian), gross_minor - fee_minor),
            Leg(chart.channel_fee(channel), fee_minor),
            Leg(chart.channel_receivable(channel), -gross_minor),
        ),
    )


def release(*, release_id: str, order_id: str, currency: str, shares: Iterable[Leg]) -> Draft:
    """The buyer has the goods. Dr held / Cr each payee. `shares` are positive amounts per payee
    address."""
    credits = tuple(Leg(share.address, -share.amount_minor) for share in shares)
    total = -sum(leg.amount_minor for leg in credits)
    return _draft(
        EntryKind.RELEASE,
        fact=release_id,
        subject=order_id,
        currency=currency,
        legs=(Leg(chart.HELD, total), *credits),
    )


def refund_asked(
    *, refund_id: str, order_id: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """We owe the buyer held money back. Dr held / Cr refund in transit."""
    return _draft(
        EntryKind.REFUND_ASKED,
        fact=refund_id,
        subject=order_id,
        currency=currency,
        legs=(Leg(chart.HELD, amount_minor), Leg(chart.refund_in_transit(channel), -amount_minor)),
    )


def surplus_refund_asked(
    *, refund_id: str, surplus_id: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """Money nobody waited for goes back. Dr surplus / Cr refund in transit."""
    return _draft(
        EntryKind.SURPLUS_REFUND_ASKED,
        fact=refund_id,
        subject=surplus_id,
        currency=currency,
        legs=(
            Leg(chart.surplus(channel), amount_minor),
            Leg(chart.refund_in_transit(channel), -amount_minor),
        ),
    )


def refund_done(
    *, refund_id: str, subject: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """The channel has paid the buyer back out of what it owes us. Dr refund in transit / Cr
    channel receivable."""
    return _draft(
        EntryKind.REFUND_DONE,
        fact=refund_id,
        subject=subject,
        currency=currency,
        legs=(
            Leg(chart.refund_in_transit(channel), amount_minor),
            Leg(chart.channel_receivable(channel), -amount_minor),
        ),
    )


def refund_rerouted(
    *,
    bank_refund_id: str,
    subject: str,
    channel: str,
    rail: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    """A refund the channel refused goes by the bank. Dr refund in transit with the channel / Cr
    refund in transit with the rail."""
    return _draft(
        EntryKind.REFUND_REROUTED,
        fact=bank_refund_id,
        subject=subject,
        currency=currency,
        legs=(
            Leg(chart.refund_in_transit(channel), amount_minor),
            Leg(chart.refund_in_transit(rail), -amount_minor),
        ),
    )


def refund_paid(
    *,
    bank_refund_id: str,
    subject: str,
    rail: str,
    custodian: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    """The bank has paid the buyer. Dr refund in transit with the rail / Cr reserve."""
    return _draft(
        EntryKind.REFUND_PAID,
        fact=bank_refund_id,
        subject=subject,
        currency=currency,
        legs=(
            Leg(chart.refund_in_transit(rail), amount_minor),
            Leg(chart.reserve(custodian), -amount_minor),
        ),
    )


def refund_doubled(
    *, bank_refund_id: str, subject: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """The channel has paid a refund after all that the bank pays too: our loss, until one of them
    comes back. Dr loss / Cr channel receivable."""
    return _draft(
        EntryKind.REFUND_DOUBLED,
        fact=bank_refund_id,
        subject=subject,
        currency=currency,
        legs=(
            Leg(chart.WRITEOFF, amount_minor),
            Leg(chart.channel_receivable(channel), -amount_minor),
        ),
    )


def chargeback(
    *, dispute_id: str, order_id: str, channel: str, amount_minor: int, currency: str
) -> Draft:
    """The channel has taken held money back for the buyer. Dr held / Cr channel receivable."""
    return _draft(
        EntryKind.CHARGEBACK,
        fact=dispute_id,
        subject=order_id,
        currency=currency,
        legs=(
            Leg(chart.HELD, amount_minor),
            Leg(chart.channel_receivable(channel), -amount_minor),
        ),
    )


def payout_sent(
    *, payout_id: str, payable: str, rail: str, amount_minor: int, currency: str
) -> Draft:
    """A payout is cut. Dr the payee's payable / Cr payout in transit."""
    return _draft(
        EntryKind.PAYOUT_SENT,
        fact=payout_id,
        subject=payout_id,
        currency=currency,
        legs=(Leg(payable, amount_minor), Leg(chart.payout_in_transit(rail), -amount_minor)),
    )


def payout_paid(
    *, payout_id: str, rail: str, custodian: str, amount_minor: int, currency: str
) -> Draft:
    """The bank has paid. Dr payout in transit / Cr reserve."""
    return _draft(
        EntryKind.PAYOUT_PAID,
        fact=payout_id,
        subject=payout_id,
        currency=currency,
        legs=(
            Leg(chart.payout_in_transit(rail), amount_minor),
            Leg(chart.reserve(custodian), -amount_minor),
        ),
    )


def clawback(*, cause_id: str, order_id: str, currency: str, taken: Iterable[Leg]) -> Draft:
    """A released order is refunded or charged back: its payees give back what they still have. Dr
    each payee's payable, Dr our fee / Cr held. `taken` are positive amounts per address."""
    debits = tuple(taken)
    total = sum(leg.amount_minor for leg in debits)
    return _draft(
        EntryKind.CLAWBACK,
        fact=cause_id,
        subject=order_id,
        currency=currency,
        legs=(*debits, Leg(chart.HELD, -total)),
    )


def clawback_debt(
    *, debt_id: str, order_id: str, receivable: str, amount_minor: int, currency: str
) -> Draft:
    """A payee has less than it must give back and owes the rest. Dr its receivable / Cr held."""
    return _draft(
        EntryKind.CLAWBACK_DEBT,
        fact=debt_id,
        subject=order_id,
        currency=currency,
        legs=(Leg(receivable, amount_minor), Leg(chart.HELD, -amount_minor)),
    )


def debt_netted(
    *,
    step_id: str,
    debt_id: str,
    payable: str,
    receivable: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    """Later sales pay a debt. Dr the payee's payable / Cr its receivable."""
    return _debt_step(
        EntryKind.DEBT_NETTED, step_id, debt_id, payable, receivable, amount_minor, currency
    )


def debt_repaid(
    *,
    step_id: str,
    debt_id: str,
    custodian: str,
    receivable: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    """The payee has paid its debt into the reserve. Dr reserve / Cr its receivable."""
    source = chart.reserve(custodian)
    return _debt_step(
        EntryKind.DEBT_REPAID, step_id, debt_id, source, receivable, amount_minor, currency
    )


def debt_guaranteed(
    *,
    step_id: str,
    debt_id: str,
    platform_id: str,
    receivable: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    """The shopping platform pays a seller's debt out of its commission. Dr platform commission / Cr
    the seller's receivable."""
    source = chart.platform_commission(platform_id)
    return _debt_step(
        EntryKind.DEBT_GUARANTEED, step_id, debt_id, source, receivable, amount_minor, currency
    )


def debt_written_off(
    *, step_id: str, debt_id: str, receivable: str, amount_minor: int, currency: str
) -> Draft:
    """Nobody will pay a debt; the operator takes the loss. Dr loss / Cr receivable."""
    return _debt_step(
        EntryKind.DEBT_WRITTEN_OFF,
        step_id,
        debt_id,
        chart.WRITEOFF,
        receivable,
        amount_minor,
        currency,
    )


def _debt_step(
    kind: EntryKind,
    step_id: str,
    debt_id: str,
    source: str,
    receivable: str,
    amount_minor: int,
    currency: str,
) -> Draft:
    return _draft(
        kind,
        fact=step_id,
        subject=debt_id,
        currency=currency,
        legs=(Leg(source, amount_minor), Leg(receivable, -amount_minor)),
    )


def topup(*, topup_id: str, custodian: str, amount_minor: int, currency: str) -> Draft:
    """The operator puts own money into the reserve. Dr reserve / Cr own top-up."""
    return _draft(
        EntryKind.TOPUP,
        fact=topup_id,
        subject=topup_id,
        currency=currency,
        legs=(Leg(chart.reserve(custodian), amount_minor), Leg(chart.OWN_TOPUP, -amount_minor)),
    )
