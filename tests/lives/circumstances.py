"""What happens around the sales: time, the channel's and the bank's work, debts, and a commission
that changes. Each gets a life, whose seller it may concern, and two numbers below 1000.
"""

from datetime import timedelta

from demo.local_sandbox import CHANNEL, RAIL
from escrow.models import Debt
from escrow.services import debts, remittance
from merchants import services as merchants
from payouts.services import approval, cutoff
from tests.lives.both import US, Both, due_of
from tests.lives.oracle import RECEIVABLE
from tests.lives.rates import Rate

# How long somebody waits, and up to which thousandth of all waits.
SPANS = (
    (300, timedelta(minutes=1)),
    (600, timedelta(hours=5)),
    (800, timedelta(days=1)),
    (950, timedelta(days=4)),
    (1000, timedelta(days=11)),
)
RATES = (0, 1, 333, 500, 850, 9999)
RETURNED = (10_000, 10_000, 0, 5000, 3333)


def wait(both: Both, life: int, x: int, y: int) -> None:
    both.note()
    both.pass_time(next(span for most, span in SPANS if x < most) + y * US)


def edge(both: Both, life: int, x: int, y: int) -> None:
    """Just before, at, or just after the next deadline of this sale."""
    due = due_of(both.sale(life))
    if due is not None:
        both.note()
        both.pass_time(max(due - both.now + (x % 3 - 1) * US, timedelta()))


def remit(both: Both, life: int, x: int, y: int) -> None:
    """The channel pays into the reserve what it owes us, less a fee."""
    gross = both.oracle.books[RECEIVABLE]
    if gross > 0:
        fee = gross * (x % 40) // 10_000
        remittance.record_remittance(
            channel=CHANNEL,
            custodian=RAIL,
            provider_reference=both.deposit(gross - fee),
            gross_minor=gross,
            fee_minor=fee,
            currency="CNY",
            at=both.now,
        )
        both.oracle.remit(gross, fee)
        both.note()


def top_up(both: Both, life: int, x: int, y: int) -> None:
    both.top_up(1 + x * 20)
    both.note()


def change_rate(both: Both, life: int, x: int, y: int) -> None:
    """Another commission, another policy of refunds and another guarantee, for what comes."""
    rate = Rate(
        bps=RATES[x % len(RATES)],
        floor=(0, 100, 777)[y % 3],
        cap=5000,
        commission_returned=RETURNED[x % len(RETURNED)],
        fee_returned=RETURNED[y % len(RETURNED)],
        channel_fee=(x % 2) * 38,
        channel_returned=RETURNED[y % len(RETURNED) - 1] if x % 2 else 10_000,
    )
    days = (None, 0, 7, 20)[(x + y) % 4]
    rule = merchants.replace_rule(
        rule_id=both.rule_id,
        effective_from=both.now,
        rate_bps=rate.bps,
        floor_minor=rate.floor,
        cap_minor=rate.cap,
        at=both.now,
    )
    merchants.set_refund_policy(
        plan_id=both.plan.pk,
        commission_returned_bps=rate.commission_returned,
        service_fee_returned_bps=rate.fee_returned,
        party_returned_bps=10_000,
        channel_fee_bps=rate.channel_fee,
        channel_fee_returned_bps=rate.channel_returned,
        at=both.now,
    )
    merchants.set_guarantee(plan_id=both.plan.pk, days=days, at=both.now)
    both.note()
    both.rule_id, both.oracle.rate, both.oracle.guarantee_days = rule.pk, rate, days


def channel(both: Both, life: int, x: int, y: int) -> None:
    both.channel_answers(lost=x < 200)


def cut(both: Both, life: int, x: int, y: int) -> None:
    """The seller's cutoff, or the platform's own."""
    both.cut(both.oracle.commission if y < 200 else both.sale(life).seller)


def bank(both: Both, life: int, x: int, y: int) -> None:
    both.bank_works()


def repay(both: Both, life: int, x: int, y: int) -> None:
    """The seller pays a part of what it owes into the reserve."""
    for owing in both.oracle.of(both.sale(life).seller)[:1]:
        debt = Debt.objects.filter(address=owing.address, state="OPEN").order_by("id")[0]
        assert debt.open_minor == owing.amount
        amount = min(max(1, owing.amount * x // 700), owing.amount)
        debts.record_repayment(
            debt_id=debt.id,
            amount_minor=amount,
            rail=RAIL,
            provider_reference=both.deposit(amount),
            at=both.now,
        )
        both.oracle.repay(owing, amount)
        both.note()


def write_off(both: Both, life: int, x: int, y: int) -> None:
    """Two operators give a debt of the seller up."""
    first, second = both.operators
    for owing in both.oracle.of(both.sale(life).seller)[:1]:
        debt = Debt.objects.filter(address=owing.address, state="OPEN").order_by("id")[0]
        known = {"debt_id": debt.id, "at": both.now}
        debts.propose_write_off(reason="gone", proposed_by=first, **known)
        debts.decide_write_off(decided_by=second, approve=True, **known)
        both.oracle.write_off(owing)
        both.note()


def replace(both: Both, life: int, x: int, y: int) -> None:
    """A payout that came to nothing is made again; another person approves it."""
    first, second = both.operators
    dead = [
        id
        for id, payout in both.oracle.payouts.items()
        if payout["state"] in ("FAILED", "RETURNED") and "replaced" not in payout
    ]
    if dead:
        old = dead[x % len(dead)]
        made = both.attempt(
            lambda: both.oracle.replace(old),
            lambda: cutoff.replace_payout(payout_id=old, requested_by=first, at=both.now),
        )
        if made is not None:
            approval.approve_payout(payout_id=made.id, operator=second, at=both.now)
            kept = both.oracle.payouts[old]
            both.oracle.add_payout(made.id, address=kept["address"], amount=kept["amount"])
