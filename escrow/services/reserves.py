"""The rolling reserve of a seller: slices held back of its releases, freed when their days are
over, and taken meanwhile for what the seller has to give back.

It must never take a seller's reserve for somebody else's order. How `release_order` and its twin
for all that are due keep a slice is in escrow/sql/release_orders.sql.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from escrow import events
from escrow.models import (
    HoldShare,
    Payee,
    Release,
    ReleaseLine,
    ReserveSlice,
    ReserveState,
    ReserveTaking,
)
from ledger import chart, reserve_entries
from ledger import services as ledger
from ledger.usecases import use_case
from orders.models import Order

BATCH = 50  # slices locked at a time


@dataclass(frozen=True, slots=True)
class Slicing:
    """What is taken of one locked slice, in minor units, > 0."""

    slice: ReserveSlice
    amount_minor: int


def keep_slice(
    order: Order, release: Release, shares: Sequence[HoldShare], *, days: int, at: datetime
) -> None:
    """Step of the readable release: write what it has held back of the seller, if anything.

    Money: none here; the release's own entry has booked it.
    """
    assert connection.in_atomic_block
    for share in shares:
        if share.payee == Payee.RESERVE:
            kept = ReserveSlice(
                platform_id=order.platform_id,
                merchant_id=order.merchant_id,
                release=release,
                currency=release.currency,
                amount_minor=share.amount_minor,
                held_at=at,
                due_at=at + timedelta(days=days),
            )
            events.record_reserve_event(kept, "reserve.held", order_id=order.id, at=at)
            kept.save(force_insert=True)


@use_case()
def free_slice(*, slice_id: str, at: datetime) -> int:
    """Owe a seller what is left of a slice whose days are over; its next statement has it.

    Money: Dr the seller's reserve / Cr its payable.
    Returns: how much; 0 when it is not due or closed already. Locks: the slice, then the seller's
        guarded account.
    """
    rows = ReserveSlice.objects.select_related("release__hold")
    kept = rows.select_for_update(of=("self",)).get(pk=slice_id)
    if kept.state != ReserveState.HELD or kept.due_at > at:
        return 0
    draft = reserve_entries.reserve_freed(
        slice_id=kept.id,
        merchant_id=kept.merchant_id,
        amount_minor=kept.open_minor,
        currency=kept.currency,
    )
    kept.free(at=at, entry_id=ledger.post(draft=draft, at=at))
    ReleaseLine.objects.create(
        release_id=kept.release_id,
        payee=Payee.MERCHANT,
        address=chart.merchant_payable(kept.merchant_id),
        currency=kept.currency,
        amount_minor=kept.open_minor,
        freed_slice=kept,
    )
    _save(kept, "reserve.freed", at=at)
    return kept.open_minor


def plan_takings(*, merchant_id: str, currency: str, lacking_minor: int) -> list[Slicing]:
    """Step of a claw-back: find what a seller's reserve gives, soonest due first.

    The caller has locked what the seller is owed.

    Args: lacking_minor: minor units the seller must give beyond what it is owed.
    Locks: the seller's open slices, soonest due first.
    """
    assert connection.in_atomic_block
    rows = ReserveSlice.objects.filter(
        merchant_id=merchant_id, currency=currency, state=ReserveState.HELD
    ).select_related("release__hold")
    planned: list[Slicing] = []
    while lacking_minor:
        more = rows.exclude(pk__in=[each.slice.pk for each in planned])
        found = more.order_by("due_at", "id").select_for_update(of=("self",))[:BATCH]
        for kept in found:
            part = min(lacking_minor, kept.open_minor)
            if part:
                planned.append(Slicing(kept, part))
                lacking_minor -= part
        if not found:
            break
    return planned


def take_planned(planned: Sequence[Slicing], *, order_id: str, at: datetime) -> list[ReserveTaking]:
    """Step of a claw-back: take what was planned, each slice by an entry of its own.

    Money: Dr the seller's reserve / Cr held.
    Args: order_id: whose money is taken back.
    Returns: the takings, not saved: their cause is not yet. Locks: the seller's guarded account.
    """
    return [_take(each, order_id=order_id, at=at) for each in planned]


def _take(planned: Slicing, *, order_id: str, at: datetime) -> ReserveTaking:
    kept = planned.slice
    taking = ReserveTaking(slice=kept, amount_minor=planned.amount_minor, taken_at=at)
    draft = reserve_entries.clawback_reserve(
        taking_id=taking.id,
        order_id=order_id,
        merchant_id=kept.merchant_id,
        amount_minor=planned.amount_minor,
        currency=kept.currency,
    )
    taking.entry_id = ledger.post(draft=draft, at=at)
    kept.take(planned.amount_minor, at=at)
    _save(kept, "reserve.taken", at=at)
    return taking


def _save(kept: ReserveSlice, type: str, *, at: datetime) -> None:
    events.record_reserve_event(kept, type, order_id=kept.release.hold.order_id, at=at)
    kept.save(update_fields=["state", "taken_minor", "closed_at", "freed_entry", "event_sequence"])
