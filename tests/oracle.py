"""Do the books of the sandbox channel and bank agree with ours? They are the oracle: we are right
when they do.

Ask when everything has come to rest: money on its way is a difference that is no error. It must
never repair.
"""

from collections import Counter
from typing import Any

from demo.local_sandbox import CHANNEL, RAIL
from escrow.models import (
    BankRefund,
    Dispute,
    DisputeKind,
    Hold,
    Refund,
    RefundState,
    Remittance,
    Surplus,
)
from ledger import chart
from ledger import selectors as books
from orders.models import Payment
from payouts.models import Payout, PayoutState
from tests.world import World

EXECUTED = {"PAID": "SUCCEEDED", "RETURNED": "RETURNED"}


def disagreements(world: World) -> list[str]:
    """Compare every balance and every fact with what the channel and the bank have in their own
    books.

    Returns: one sentence per difference, none when all agree.
    """
    return [
        *_balances(world),
        *_captures(world),
        *_refunds(world),
        *_chargebacks(world),
        *_remittances(world),
        *_payouts(world),
    ]


def _balances(world: World) -> list[str]:
    found = []
    for currency, totals in world.sandbox.channel.totals().items():
        ours = books.balance(address=chart.channel_receivable(CHANNEL), currency=currency)
        if ours != totals["unremitted"]:
            found.append(f"the channel owes us {totals['unremitted']} {currency}, we say {ours}")
    for currency, totals in world.sandbox.bank.totals().items():
        ours = books.balance(address=chart.reserve(RAIL), currency=currency)
        if ours != totals["balance"]:
            found.append(f"the reserve holds {totals['balance']} {currency}, we say {ours}")
    return found


def _captures(world: World) -> list[str]:
    """Each capture is booked once: for the orders of its payment, or as surplus of each."""
    theirs = Counter[tuple[str, str, int]]()
    for row in world.sandbox.channel.book.rows("SELECT * FROM captures"):
        theirs[row["payment_reference"], row["provider_reference"], row["amount_minor"]] += 1
    booked = Counter[tuple[str, str]]()
    numbers = dict(Payment.objects.values_list("id", "provider_reference"))
    for payment, amount_minor in Hold.objects.values_list("payment_id", "amount_minor"):
        booked[payment, numbers[payment]] += amount_minor
    surpluses = Surplus.objects.values_list("payment_id", "provider_reference", "amount_minor")
    for payment, number, amount_minor in surpluses:
        booked[payment, number] += amount_minor
    ours = Counter((payment, number, total) for (payment, number), total in booked.items())
    return _differences("capture", theirs, ours)


def _refunds(world: World) -> list[str]:
    rows = world.sandbox.channel.book.rows("SELECT * FROM refunds WHERE status = 'SUCCEEDED'")
    theirs = Counter(
        (row["reference"], row["payment_reference"], row["amount_minor"]) for row in rows
    )
    done = Refund.objects.filter(state=RefundState.SUCCEEDED).exclude(
        bank_refunds__state="PAID", bank_refunds__doubled_entry=None
    )
    return _differences(
        "refund", theirs, Counter(done.values_list("id", "payment_id", "amount_minor"))
    )


def _chargebacks(world: World) -> list[str]:
    """What the channel took back is booked whole, once."""
    theirs = Counter[tuple[str, int]]()
    for row in world.sandbox.channel.book.rows("SELECT * FROM chargebacks"):
        theirs[row["provider_reference"], row["amount_minor"]] += 1
    known = Counter[str]()
    kept = Dispute.objects.filter(kind=DisputeKind.CHARGEBACK)
    for number, amount_minor in kept.values_list("provider_reference", "resolved_minor"):
        known[number] += amount_minor
    return _differences("chargeback", theirs, Counter(known.items()))


def _remittances(world: World) -> list[str]:
    rows = world.sandbox.channel.book.rows("SELECT * FROM remittances WHERE status = 'SENT'")
    theirs = Counter((row["reference"], row["gross_minor"], row["fee_minor"]) for row in rows)
    kept = Remittance.objects.values_list("provider_reference", "gross_minor", "fee_minor")
    return _differences("remittance", theirs, Counter(kept))


def _payouts(world: World) -> list[str]:
    """Each reference executed at most once, and executed exactly when we say so."""
    found = []
    theirs = Counter[tuple[str, str, int]]()
    for row in world.sandbox.bank.book.rows("SELECT * FROM payouts"):
        if row["status"] in EXECUTED.values():
            theirs[row["reference"], row["status"], row["amount_minor"]] += 1
    for reference, count in world.sandbox.bank.executions().items():
        if count > 1:
            found.append(f"the bank has paid {reference} {count} times")
    ours = Counter(
        (payout.id, EXECUTED[payout.state], payout.amount_minor)
        for rows in (Payout.objects, BankRefund.objects)
        for payout in rows.filter(state__in=[PayoutState.PAID, PayoutState.RETURNED])
    )
    return found + _differences("payout", theirs, ours)


def _differences(what: str, theirs: Counter[Any], ours: Counter[Any]) -> list[str]:
    return [
        *(
            f"{what} {fact} is in their book {count} times more"
            for fact, count in (theirs - ours).items()
        ),
        *(
            f"{what} {fact} is in our books {count} times more"
            for fact, count in (ours - theirs).items()
        ),
    ]
