"""Money that was released is taken back from its payees, because the buyer is refunded after all,
or because the channel has taken it.

Each payee gives its part (escrow/reversal.py) out of what it is owed, then a seller out of its
rolling reserve (escrow/services/reserves.py). What that does not cover is a debt of its own, for
which the operator's own funds stand in. Where they do not reach, nothing is refunded: nobody else's
money ever pays. A chargeback has happened and is booked all the same (docs/adr/0034).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q

from common.errors import DomainError
from common.ids import new_id
from escrow import events
from escrow.models import (
    Debt,
    Deduction,
    Dispute,
    Hold,
    Payee,
    Refund,
    RefundShare,
    ReleaseLine,
    ReserveTaking,
)
from escrow.reversal import given_at
from escrow.services.debts import term_to_pay
from escrow.services.refund import ask_refund
from escrow.services.reserves import Slicing, plan_takings, take_planned
from escrow.services.shares import keep_chargeback_shares, keep_refund_shares, plan_returns
from escrow.split import Share
from ledger import accounts, chart, entries
from ledger import selectors as books
from ledger import services as ledger
from merchants.models import CommissionPlan
from merchants.terms import Terms
from orders.models import Order


class RefundNotCovered(DomainError):
    """The payees' balances and the operator's own funds do not cover this refund. Nothing is
    refunded; top up the own funds, or wait for later sales."""

    code = "refund_not_covered"


@dataclass(frozen=True, slots=True)
class Taking:
    """What one payee gives back, in minor units: of what it is owed, of its reserve, and what it
    will owe."""

    share: Share  # in all
    now_minor: int
    slices: Sequence[Slicing]

    @property
    def debt_minor(self) -> int:
        reserved = sum(each.amount_minor for each in self.slices)
        return self.share.amount_minor - self.now_minor - reserved


@dataclass(frozen=True, slots=True)
class Booked:
    """Rows whose entries are posted, not saved: their cause is not yet."""

    takings: Sequence[ReserveTaking]
    debts: Sequence[Debt]


def refund_released(
    order: Order, hold: Hold, *, amount_minor: int, reason: str, at: datetime
) -> Refund:
    """Step: take released money back and owe it to the buyer. The caller has locked the order,
    which is CONFIRMED, and the hold, which is RELEASED.

    Money: Dr each payee's payable, Dr our fee / Cr held; for what is missing Dr the seller's
        reserve / Cr held, then Dr the payee's receivable / Cr held; then Dr held / Cr refund in
        transit.
    Args: amount_minor: > 0, at most what is released.
    Raises: RefundNotCovered.
    Locks: the payees' balances by account id, the seller's slices, then the operator's own funds.
    """
    assert connection.in_atomic_block
    shares = _shares_to_give(order, hold, amount_minor)
    takings = _take(shares, order, currency=hold.currency)
    _require_own_funds(takings, currency=hold.currency)
    refund_id = new_id("ref")
    booked = _book(refund_id, order, hold, takings, at=at)
    refund = ask_refund(
        hold=hold,
        surplus=None,
        payment=hold.payment,
        amount_minor=amount_minor,
        reason=reason,
        at=at,
        clawed_back=refund_id,
    )
    keep_refund_shares(refund, shares)
    _keep(takings, booked, refund=refund, at=at)
    return refund


def charge_back_released(
    dispute: Dispute, order: Order, hold: Hold, *, amount_minor: int, at: datetime
) -> Sequence[Debt]:
    """Step: take from the payees what the channel has taken back of released money. The caller has
    locked the order, which is CONFIRMED, and the hold, which is RELEASED, and books the rest.

    Money: Dr each payee's payable, Dr our fee / Cr held; for what is missing Dr the seller's
        reserve / Cr held, then Dr the payee's receivable / Cr held. Own funds need not cover it:
        the money is gone.
    Args: amount_minor: > 0, at most what is released.
    Returns: the debts that are left.
    Locks: the payees' balances by account id, then the seller's slices.
    """
    assert connection.in_atomic_block
    shares = _shares_to_give(order, hold, amount_minor)
    takings = _take(shares, order, currency=hold.currency)
    booked = _book(dispute.id, order, hold, takings, at=at)
    keep_chargeback_shares(dispute, shares)
    _keep(takings, booked, dispute=dispute, at=at)
    return booked.debts


def lock_payees(orders: Sequence[Order], *, channel: str, currency: str) -> None:
    """Step: lock what the payees of several released orders are owed, at once and in one order, so
    that two carts of the same payees never wait for each other."""
    addresses = {
        part.share.address
        for order in orders
        for part in plan_returns(order, channel=channel)
        if part.share.payee != Payee.SERVICE_FEE
    }
    accounts.lock_payables(addresses=addresses, currency=currency)


def _book(
    cause_id: str, order: Order, hold: Hold, takings: Sequence[Taking], *, at: datetime
) -> Booked:
    """Make the released money held again, out of what payees have and owe."""
    hold.refund_released(sum(each.share.amount_minor for each in takings))
    hold.save(update_fields=["released_minor", "refunded_minor"])
    _post_clawback(cause_id, order, takings, currency=hold.currency, at=at)
    taken = [
        each for taking in takings for each in take_planned(taking.slices, order_id=order.id, at=at)
    ]
    debts = [_owe(order, each, at=at) for each in takings if each.debt_minor]
    return Booked(taken, debts)


def _shares_to_give(order: Order, hold: Hold, amount_minor: int) -> list[Share]:
    """Each payee's part of this refund, the seller first; the seller gives what others no longer
    have to give."""
    parts = plan_returns(order, channel=hold.payment.channel)
    before = given_at(parts, refunded_minor=hold.refunded_minor)
    after = given_at(parts, refunded_minor=hold.refunded_minor + amount_minor)
    left = _received(hold)
    others = [
        replace(part.share, amount_minor=min(two - one, left.get(_key(part.share), 0)))
        for part, one, two in zip(parts[1:], before[1:], after[1:], strict=True)
    ]
    rest = amount_minor - sum(share.amount_minor for share in others)
    seller = Share(Payee.MERCHANT, parts[0].share.address, rest)
    return [share for share in (seller, *others) if share.amount_minor]


def _key(share: Share | ReleaseLine | RefundShare) -> tuple[str, str]:
    """A payee's part: the platform's commission and the tax on it share an account."""
    return share.payee, share.address


def _received(hold: Hold) -> Counter[tuple[str, str]]:
    """What each payee received of the hold and has not given back since."""
    found: Counter[tuple[str, str]] = Counter()
    for line in ReleaseLine.objects.filter(release__hold=hold):
        found[_key(line)] += line.amount_minor
    refunded = Q(refund__hold=hold, refund__after_release=True)
    charged_back = Q(dispute__order=hold.order_id, dispute__after_release=True)
    for given in RefundShare.objects.filter(refunded | charged_back):
        found[_key(given)] -= given.amount_minor
    return found


def _take(shares: Sequence[Share], order: Order, *, currency: str) -> list[Taking]:
    payable = [share.address for share in shares if share.payee != Payee.SERVICE_FEE]
    there = accounts.lock_payables(addresses=payable, currency=currency)
    takings = []
    for share in shares:
        now = min(share.amount_minor, there.get(share.address, share.amount_minor))
        if share.address in there:
            there[share.address] -= now
        slices: Sequence[Slicing] = ()
        if share.payee == Payee.MERCHANT:
            slices = plan_takings(
                merchant_id=order.merchant_id,
                currency=currency,
                lacking_minor=share.amount_minor - now,
            )
            # What somebody freed while its slice was waited for is owed to the seller by now.
            lacking = share.amount_minor - now - sum(each.amount_minor for each in slices)
            if lacking:
                owed = books.balance(address=share.address, currency=currency)
                now += min(lacking, owed - now)
        takings.append(Taking(share, now, slices))
    return takings


def _require_own_funds(takings: Sequence[Taking], *, currency: str) -> None:
    """Check that own funds, less the fee we give back ourselves, can stand in for the debts. Two
    refunds at once cannot both count the same funds. Raises: RefundNotCovered."""
    debts_minor = sum(each.debt_minor for each in takings)
    if not debts_minor:
        return
    accounts.lock_account(address=chart.OWN_TOPUP, currency=currency)
    ours = sum(each.now_minor for each in takings if each.share.payee == Payee.SERVICE_FEE)
    free = books.free_own_funds(currency=currency) - ours
    if free < debts_minor:
        raise RefundNotCovered(
            f"The payees lack {debts_minor} minor units for this refund, and own funds of "
            f"{max(free, 0)} are there to stand in for them.",
            lacking_minor=debts_minor,
            own_funds_minor=max(free, 0),
        )


def _post_clawback(
    cause_id: str, order: Order, takings: Sequence[Taking], *, currency: str, at: datetime
) -> None:
    taken = [entries.Leg(each.share.address, each.now_minor) for each in takings if each.now_minor]
    if taken:
        draft = entries.clawback(
            cause_id=cause_id, order_id=order.id, currency=currency, taken=taken
        )
        ledger.post(draft=draft, at=at)


def _owe(order: Order, taking: Taking, *, at: datetime) -> Debt:
    share = taking.share
    debt = Debt(
        platform_id=order.platform_id,
        merchant_id=order.merchant_id if share.payee == Payee.MERCHANT else None,
        payee=share.payee,
        address=share.address,
        currency=order.currency,
        amount_minor=taking.debt_minor,
        created_at=at,
    )
    if share.payee == Payee.MERCHANT:
        debt.request_at, debt.guaranteed_at = _dates_of_seller(order, at=at)
    draft = entries.clawback_debt(
        debt_id=debt.id,
        order_id=order.id,
        receivable=chart.receivable_of(share.address),
        amount_minor=taking.debt_minor,
        currency=order.currency,
    )
    debt.entry_id = ledger.post(draft=draft, at=at)
    return debt


def _dates_of_seller(order: Order, *, at: datetime) -> tuple[datetime, datetime | None]:
    """When a seller that still owes is asked to pay, and when the platform starts paying for it, by
    the order's terms.

    The seller is asked first and has its term; so with a guarantee it is asked early enough for
    that, and a guarantee that is shorter than the term begins with its end.
    """
    asked_at = at + timedelta(days=settings.DEBIT_REQUEST_AFTER_DAYS)
    days = _guarantee_days(order)
    if days is None:
        return asked_at, None
    guaranteed_at = max(at + timedelta(days=days), at + term_to_pay())
    return min(asked_at, guaranteed_at - term_to_pay()), guaranteed_at


def _guarantee_days(order: Order) -> int | None:
    """After how many days the platform pays a seller's debt, by the order's terms. Those of before
    did not say, so the plan does."""
    terms = Terms.from_json(order.terms)
    if terms.guarantee is not None:
        return terms.guarantee.days
    plans = CommissionPlan.objects.filter(pk=terms.plan_id)
    return plans.values_list("guarantee_days", flat=True).first()


def _keep(
    takings: Sequence[Taking],
    booked: Booked,
    *,
    at: datetime,
    refund: Refund | None = None,
    dispute: Dispute | None = None,
) -> None:
    """Write what was taken and what is owed, under its cause, and tell of the debts."""
    cause = refund or dispute
    assert cause is not None
    Deduction.objects.bulk_create(
        Deduction(
            refund=refund,
            dispute=dispute,
            payee=each.share.payee,
            address=each.share.address,
            currency=cause.currency,
            amount_minor=each.now_minor,
            taken_at=at,
        )
        for each in takings
        if each.now_minor and each.share.payee != Payee.SERVICE_FEE
    )
    for taking in booked.takings:
        taking.refund, taking.dispute = refund, dispute
        taking.save(force_insert=True)
    for debt in booked.debts:
        debt.refund, debt.dispute = refund, dispute
        events.record_debt_event(debt, "debt.created", at=at)
        debt.save(force_insert=True)
