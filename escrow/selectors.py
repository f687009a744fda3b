"""Reading holds, releases and refunds. It must never lock or write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, Func, Prefetch, QuerySet, Value, When
from django.db.models.functions import Coalesce

from escrow.models import (
    BankRefund,
    BankRefundState,
    DebitRequest,
    Debt,
    DebtState,
    DebtStep,
    Deduction,
    Dispute,
    DisputeLine,
    DisputeStep,
    Evidence,
    Freeze,
    FreezeState,
    Hold,
    HoldShare,
    HoldState,
    Payee,
    Refund,
    RefundLine,
    RefundShare,
    RefundState,
    Release,
    ReleaseLine,
    ReserveSlice,
    ReserveState,
)
from orders.claims import MISSED, earliest, first_of
from orders.models import Order, OrderState, Payment, PaymentState

# The further party in a ledger address, if it is one's.
_PARTY = Case(
    When(
        address__startswith="party:",
        then=Func(F("address"), Value(":"), Value(2), function="split_part"),
    ),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A release line or a deduction that is on no statement yet. `amount_minor` in minor units of
    `currency`."""

    id: Any
    currency: str
    amount_minor: int


def list_unsettled_lines(*, address: str, before: datetime | None = None) -> list[OpenLine]:
    """Return the release lines of a payee that no settlement pays yet, oldest first.

    Args: before: only what was released, or freed of its reserve, before this instant.
    """
    lines = ReleaseLine.objects.filter(address=address, settlement_id__isnull=True).exclude(
        payee=Payee.SERVICE_FEE
    )
    if before is not None:
        owed_since = Coalesce("freed_slice__closed_at", "release__released_at")
        lines = lines.alias(owed_since=owed_since).filter(owed_since__lt=before)
    return [
        OpenLine(*row) for row in lines.order_by("id").values_list("id", "currency", "amount_minor")
    ]


def list_unsettled_deductions(*, address: str, currency: str) -> list[OpenLine]:
    """Return what was taken from a payee that is on no statement yet, oldest first; amounts are
    positive. Whenever it was taken, the balance lacks it now."""
    rows = Deduction.objects.filter(address=address, currency=currency, settlement_id__isnull=True)
    return [
        OpenLine(*row) for row in rows.order_by("id").values_list("id", "currency", "amount_minor")
    ]


def list_settled_deductions(*, settlement_id: str) -> Sequence[Deduction]:
    """Return the deductions of a settlement with their cause and order at hand, oldest first."""
    rows = Deduction.objects.filter(settlement_id=settlement_id)
    found = rows.select_related("refund__hold__order", "dispute__order", "step")
    return list(found.order_by("taken_at", "step__debt_id", "id"))


def debts_of(*, platform_id: str) -> QuerySet[Debt]:
    """A platform's debts and those of its sellers and further parties, with how they were paid."""
    steps = Prefetch("steps", DebtStep.objects.select_related("deduction").order_by("id"))
    debts = Debt.objects.filter(platform_id=platform_id).annotate(party_id=_PARTY)
    return debts.select_related("refund__hold", "dispute").prefetch_related(steps, "requests")


def guaranteed_debts() -> QuerySet[Debt]:
    """Open debts the platform has to pay from `guaranteed_at` on."""
    return Debt.objects.filter(state=DebtState.OPEN, guaranteed_at__isnull=False)


def held_slices() -> QuerySet[ReserveSlice]:
    """Slices of reserves that are freed from `due_at` on."""
    return ReserveSlice.objects.filter(state=ReserveState.HELD)


def unrequested_debts() -> QuerySet[Debt]:
    """Open debts whose seller is asked to pay from `request_at` on."""
    return Debt.objects.filter(state=DebtState.OPEN, request_at__isnull=False)


def unreminded_requests() -> QuerySet[DebitRequest]:
    """Requests that are repeated from `remind_at` on."""
    return DebitRequest.objects.filter(remind_at__isnull=False)


def list_settled_lines(*, settlement_id: str) -> Sequence[ReleaseLine]:
    """Return the lines of a settlement with their order and, of what was held back, the slice at
    hand, oldest first."""
    lines = ReleaseLine.objects.filter(settlement_id=settlement_id).select_related(
        "release__hold__order", "freed_slice"
    )
    return list(lines.order_by("id"))


def holds_of(*, platform_id: str) -> QuerySet[Hold]:
    """A platform's holds with who gets how much: `shares`."""
    shares = Prefetch("shares", HoldShare.objects.order_by("leg"))
    return Hold.objects.filter(order__platform_id=platform_id).prefetch_related(shares)


def releases_of(*, platform_id: str) -> QuerySet[Release]:
    """A platform's releases with their holds and lines; a line names the statement that pays it."""
    first = ReleaseLine.objects.filter(freed_slice__isnull=True)
    lines = Prefetch("lines", first.order_by("id"))
    releases = Release.objects.filter(hold__order__platform_id=platform_id)
    return releases.select_related("hold").prefetch_related(lines)


def refunds_of(*, platform_id: str) -> QuerySet[Refund]:
    """A platform's refunds, each with the hold or the surplus it comes out of, with who gives how
    much and of which lines."""
    refunds = Refund.objects.filter(platform_id=platform_id).select_related("hold", "surplus")
    shares = Prefetch("shares", RefundShare.objects.order_by("id"))
    lines = Prefetch("lines", RefundLine.objects.select_related("line").order_by("id"))
    routes = Prefetch("bank_refunds", BankRefund.objects.order_by("id"))
    return refunds.prefetch_related(shares, lines, routes)


def unsent_bank_refunds() -> QuerySet[BankRefund]:
    """Refunds a bank is to be sent."""
    return BankRefund.objects.filter(state=BankRefundState.APPROVED)


def open_bank_refunds() -> QuerySet[BankRefund]:
    """Refunds a bank is asked about, and may be paying at this moment."""
    return BankRefund.objects.filter(state__in=BankRefund.OPEN)


def disputes_of(*, platform_id: str) -> QuerySet[Dispute]:
    """A platform's disputes with their timeline, lines and files, the bytes left out."""
    return with_timeline(Dispute.objects.filter(platform_id=platform_id))


def with_timeline(disputes: QuerySet[Dispute]) -> QuerySet[Dispute]:
    """Bring along what is shown of disputes: steps in their order, lines, and files without the
    bytes."""
    return disputes.select_related("order").prefetch_related(
        Prefetch("steps", DisputeStep.objects.order_by("position")),
        Prefetch("lines", DisputeLine.objects.select_related("line").order_by("line__position")),
        Prefetch("evidence", Evidence.objects.defer("content").order_by("pk")),
    )


def evidence_of(*, dispute_id: str) -> QuerySet[Evidence]:
    """The files of a dispute, oldest first, without their bytes."""
    return Evidence.objects.filter(dispute_id=dispute_id).defer("content").order_by("pk")


def dispute_of_order(*, order_id: str) -> Dispute | None:
    """Return the latest dispute of an order with its timeline; None when there never was one."""
    return with_timeline(Dispute.objects.filter(order_id=order_id)).order_by("-pk").first()


def open_disputes() -> QuerySet[Dispute]:
    """Disputes somebody has to do something about by a date."""
    return Dispute.objects.filter(due_at__isnull=False)


def freezes_in_force() -> QuerySet[Freeze]:
    """Freezes that are not lifted; one whose lifting is only proposed is in force."""
    return Freeze.objects.exclude(state=FreezeState.LIFTED)


def unshipped_orders() -> QuerySet[Order]:
    """Orders whose held money goes back after `ship_by`."""
    return Order.objects.filter(state=OrderState.PAID, hold__state=HoldState.HELD)


def unconfirmed_orders() -> QuerySet[Order]:
    """Orders whose held money is released at `confirm_by`: not while their clock stands still."""
    return Order.objects.filter(
        state=OrderState.SHIPPED, paused_at__isnull=True, hold__state=HoldState.HELD
    )


def watched_payments() -> QuerySet[Payment]:
    """Payments the channel is asked about, and those given up that it is told to close."""
    return Payment.objects.filter(state__in=[*Payment.OPEN, PaymentState.EXPIRED])


def unsent_refunds() -> QuerySet[Refund]:
    """Refunds the channel is to be asked for."""
    return Refund.objects.filter(state=RefundState.PENDING)


def open_refunds() -> QuerySet[Refund]:
    """Refunds the channel is asked about."""
    return Refund.objects.filter(state__in=Refund.OPEN)


def next_due(*, platform_id: str, after: datetime | None = None) -> datetime | None:
    """Return when a platform's next order is reminded of, canceled because it was not shipped, or
    confirmed automatically, the platform pays a seller's debt, a slice of a reserve is freed, or a
    dispute goes on because somebody was silent.

    Args: after: only what is due later than this instant.
    """
    unshipped = unshipped_orders().filter(platform_id=platform_id)
    unconfirmed = unconfirmed_orders().filter(platform_id=platform_id)
    return first_of(
        earliest(unshipped, "remind_ship_at", after=after),
        earliest(unconfirmed, "remind_confirm_at", after=after),
        earliest(unshipped, "ship_by", after=after, wait=MISSED),
        earliest(unconfirmed, "confirm_by", after=after),
        earliest(
            guaranteed_debts().filter(platform_id=platform_id),
            "guaranteed_at",
            after=after,
            wait=MISSED,
        ),
        earliest(held_slices().filter(platform_id=platform_id), "due_at", after=after, wait=MISSED),
        earliest(
            unrequested_debts().filter(platform_id=platform_id),
            "request_at",
            after=after,
            wait=MISSED,
        ),
        earliest(
            unreminded_requests().filter(platform_id=platform_id),
            "remind_at",
            after=after,
            wait=MISSED,
        ),
        earliest(
            open_disputes().filter(platform_id=platform_id), "due_at", after=after, wait=MISSED
        ),
    )


def next_question(*, platform_id: str, after: datetime | None = None) -> datetime | None:
    """Return when a channel is to be asked next about, or for, something of a platform's.

    Args: after: only what is due later than this instant.
    """
    asked = (watched_payments(), unsent_refunds(), open_refunds())
    return first_of(
        *(earliest(rows.filter(platform_id=platform_id), "due_at", after=after) for rows in asked)
    )
