"""One status for an order, composed from what each station knows, and the picture around it.

It must never be stored: each station keeps its own state, this only says them together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q, Sum

from escrow.models import (
    Hold,
    HoldState,
    Payee,
    Refund,
    RefundState,
    ReleaseLine,
    ReserveSlice,
    ReserveState,
)
from escrow.services.shares import plan_hold
from escrow.split import Share
from merchants import explanation
from merchants.terms import Terms
from orders.models import Order, OrderLine, OrderState, PaymentOrder, Shipment
from payouts.models import Payout, PayoutState


class Status(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"  # no money yet
    PAID = "paid"  # held, to be shipped
    SHIPPED = "shipped"  # held, to be confirmed
    FROZEN = "frozen"  # held, and nobody may move it until a person has decided
    RELEASED = "released"  # confirmed: the money belongs to its payees, and is on its way to them
    PAID_OUT = "paid_out"  # the seller's bank has it
    EXPIRED = "expired"  # nobody paid in time
    CANCELED = "canceled"  # before anybody had paid
    REFUNDING = "refunding"  # canceled after payment: the buyer's money is on its way back
    REFUNDED = "refunded"  # the buyer has it back


class LineStatus(StrEnum):
    PLANNED = "planned"  # paid to this payee when the buyer confirms
    HELD_BACK = "held_back"  # in the seller's rolling reserve for some days
    TAKEN = "taken"  # was held back, and paid what the seller had to give back
    VOID = "void"  # the order's money went back, or never came
    KEPT = "kept"  # the service fee: not paid out
    PAYABLE = "payable"  # waits for the payee's next cutoff
    AWAITING_APPROVAL = "awaiting_approval"
    SENDING = "sending"  # approved, or at the bank, or its outcome is being asked for
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


_OF_PAYOUT = {
    PayoutState.PENDING: LineStatus.AWAITING_APPROVAL,
    PayoutState.APPROVED: LineStatus.SENDING,
    PayoutState.SENDING: LineStatus.SENDING,
    PayoutState.UNKNOWN: LineStatus.SENDING,
    PayoutState.PAID: LineStatus.PAID,
    PayoutState.FAILED: LineStatus.FAILED,
    PayoutState.RETURNED: LineStatus.RETURNED,
}


@dataclass(frozen=True, slots=True)
class SplitLine:
    """One payee's part of the order. `amount_minor` in minor units of the order's currency."""

    payee: str
    amount_minor: int
    status: str
    settlement: str | None = None
    payout: str | None = None
    payout_state: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An order and everything that hangs on it, as it is answered."""

    order: Order
    lines: Sequence[OrderLine]
    status: str
    split: Sequence[SplitLine]
    payments: Sequence[PaymentOrder]  # oldest first, each with its payment
    shipments: Sequence[Shipment]
    refunds: Sequence[Refund]  # oldest first, out of the hold or of surplus money
    refunded_minor: int  # what the buyer gets back of the order, arrived or not
    terms: Terms
    explanation: Sequence[explanation.Remark]


def picture(order: Order) -> Picture:
    """Read everything about an order, in a fixed number of queries."""
    hold = Hold.objects.filter(order=order).select_related("payment").first()
    of_order = Refund.objects.filter(Q(hold__order=order) | Q(surplus__order=order))
    refunds = list(of_order.order_by("created_at", "id"))
    split = _split(order, hold)
    parts = PaymentOrder.objects.filter(order=order).select_related("payment")
    terms = Terms.from_json(order.terms).under(hold.payment.channel if hold else None)
    return Picture(
        order=order,
        lines=sorted(order.lines.all(), key=lambda line: line.position),
        status=compose(
            order_state=order.state,
            hold_state=hold.state if hold else None,
            refund_states=[refund.state for refund in refunds if refund.hold_id],
            split=split,
        ),
        split=split,
        payments=list(parts.order_by("payment__created_at", "payment_id")),
        shipments=sorted(order.shipments.all(), key=lambda parcel: parcel.position),
        refunds=refunds,
        refunded_minor=sum(refund.amount_minor for refund in refunds if refund.hold_id),
        terms=terms,
        explanation=explanation.explain(terms),
    )


def picture_of_new(order: Order, lines: Sequence[OrderLine]) -> Picture:
    """The picture of an order just created: nothing hangs on it yet, so nothing is read."""
    terms = Terms.from_json(order.terms)
    return Picture(
        order=order,
        lines=lines,
        status=Status.AWAITING_PAYMENT,
        split=_split(order, None),
        payments=[],
        shipments=[],
        refunds=[],
        refunded_minor=0,
        terms=terms,
        explanation=explanation.explain(terms),
    )


def statuses(orders: Sequence[Order]) -> dict[str, Status]:
    """Say where each of several orders stands, in a fixed number of queries.

    Returns: by order id.
    """
    ids = [order.pk for order in orders]
    holds: dict[str, str] = {}
    refunds = defaultdict(list)
    known = Hold.objects.filter(order_id__in=ids)
    for order_id, state, refund in known.values_list("order_id", "state", "refunds__state"):
        holds[order_id] = state
        refunds[order_id] += [refund] if refund else []
    lines = list(
        ReleaseLine.objects.filter(release__hold__order_id__in=ids, freed_slice__isnull=True)
        .select_related("release__hold")
        .order_by("id")
    )
    split = defaultdict(list)
    for line, released in zip(lines, _released_split(lines), strict=True):
        split[line.release.hold.order_id].append(released)
    return {
        order.pk: compose(
            order_state=order.state,
            hold_state=holds.get(order.pk),
            refund_states=refunds[order.pk],
            split=split[order.pk],
        )
        for order in orders
    }


def refunded(orders: Sequence[Order]) -> dict[str, int]:
    """What the buyers of several orders get back of them, arrived or not, in one query.

    Returns: minor units by order id; nothing for orders without a refund.
    """
    rows = Refund.objects.filter(hold__order_id__in=[order.pk for order in orders])
    summed = rows.values_list("hold__order_id").annotate(sum=Sum("amount_minor")).order_by()
    return dict(summed)


def compose(
    *,
    order_state: str,
    hold_state: str | None,
    refund_states: Sequence[str],
    split: Sequence[SplitLine],
) -> Status:
    """Say in one word where an order stands. Pure."""
    match order_state:
        case OrderState.CREATED:
            return Status.AWAITING_PAYMENT
        case OrderState.EXPIRED:
            return Status.EXPIRED
        case OrderState.CANCELED if not refund_states:
            # Without a refund of ours, only the channel can have given held money back.
            return Status.REFUNDED if hold_state == HoldState.REFUNDED else Status.CANCELED
        case OrderState.CANCELED:
            done = all(state == RefundState.SUCCEEDED for state in refund_states)
            return Status.REFUNDED if done else Status.REFUNDING
        case OrderState.CONFIRMED:
            return Status.PAID_OUT if _is_paid_out(split) else Status.RELEASED
    if hold_state == HoldState.FROZEN:
        return Status.FROZEN
    return Status.PAID if order_state == OrderState.PAID else Status.SHIPPED


def _is_paid_out(split: Sequence[SplitLine]) -> bool:
    """Whether the seller and further parties have their money.

    The platform's commission follows its own schedule and counts only when nobody else is paid.
    """
    ours = (Payee.SERVICE_FEE, Payee.PLATFORM, Payee.TAX)
    others = [line for line in split if line.payee not in ours and line.status != LineStatus.TAKEN]
    owed = others or [line for line in split if line.payee == Payee.PLATFORM]
    return bool(owed) and all(line.status == LineStatus.PAID for line in owed)


def _split(order: Order, hold: Hold | None) -> list[SplitLine]:
    lines = ReleaseLine.objects.filter(release__hold=hold, freed_slice__isnull=True)
    released = list(lines.order_by("id")) if hold else []
    if released:
        return _released_split(released)
    void = order.state in (OrderState.EXPIRED, OrderState.CANCELED)
    status = LineStatus.VOID if void else LineStatus.PLANNED
    if hold and not void:
        planned = tuple(
            Share(share.payee, share.address, share.amount_minor)
            for share in hold.shares.order_by("leg")
        )
    else:
        planned, _reserve = plan_hold(order, channel=hold.payment.channel if hold else None)
    return [SplitLine(share.payee, share.amount_minor, status) for share in planned]


def _released_split(lines: Sequence[ReleaseLine]) -> list[SplitLine]:
    reserves = _reserves_of(lines)
    settled_by = [line.settlement_id for line in lines] + [by for _state, by in reserves.values()]
    payouts = Payout.objects.filter(settlement_id__in={*settled_by} - {None})
    latest = {payout.settlement_id: payout for payout in payouts.order_by("created_at", "id")}
    split = []
    for line in lines:
        state, settlement = None, line.settlement_id
        if line.payee == Payee.RESERVE and line.release_id in reserves:
            state, settlement = reserves[line.release_id]
        if state is None or state == ReserveState.FREED:
            split.append(_released_line(line, settlement, latest.get(settlement or "")))
        else:
            status = LineStatus.TAKEN if state == ReserveState.TAKEN else LineStatus.HELD_BACK
            split.append(SplitLine(line.payee, line.amount_minor, status))
    return split


def _reserves_of(lines: Sequence[ReleaseLine]) -> dict[str, tuple[str, str | None]]:
    """The state of what these releases held back, and the settlement it was paid by once it was
    freed; by release. Nothing held back: no query."""
    held = [line.release_id for line in lines if line.payee == Payee.RESERVE]
    if not held:
        return {}
    slices = ReserveSlice.objects.filter(release_id__in=held)
    return {
        release: (state, settlement)
        for release, state, settlement in slices.values_list(
            "release", "state", "lines__settlement_id"
        )
    }


def _released_line(line: ReleaseLine, settlement: str | None, payout: Payout | None) -> SplitLine:
    if line.payee == Payee.SERVICE_FEE:
        return SplitLine(line.payee, line.amount_minor, LineStatus.KEPT)
    if payout is None:
        return SplitLine(line.payee, line.amount_minor, LineStatus.PAYABLE, settlement)
    return SplitLine(
        payee=line.payee,
        amount_minor=line.amount_minor,
        status=_OF_PAYOUT[PayoutState(payout.state)],
        settlement=settlement,
        payout=payout.id,
        payout_state=payout.state,
        paid_at=payout.paid_at,
    )
