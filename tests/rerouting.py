"""A refund the channel refused, on its way by the bank: its phases and moves, for tests of who may
do what, and of what is booked.

The tests speak for the channel and for the bank.
"""

from collections.abc import Callable
from typing import Any

from channels.contract import Status
from demo.local_sandbox import RAIL
from escrow.models import BankRefund, Refund
from escrow.services import bank_refunds as escrow
from escrow.services import refund as refunds
from payouts.services import bank_refunds as payouts
from tests import ground
from tests.world import World, answer

ACCOUNT = {
    "rail": RAIL,
    "holder_name": "王芳",
    "bank_code": "102100099996",
    "account_number": "6222 0000 0000 0001",
    "reason": "card closed; the account is in her letter of today",
}
# Every phase: what the bank refund and its refund are in; the last: the channel has paid as well.
PHASES = (
    "PROPOSED",
    "APPROVED",
    "SENDING",
    "UNKNOWN",
    "PARKED",
    "PAID",
    "FAILED",
    "RETURNED",
    "DROPPED",
    "SENDING+CHANNEL",
    "PAID+CHANNEL",
)


def refused_refund(world: World, *, remitted: bool = True) -> Refund:
    """A refund of 10001 the channel has refused, with as much in the reserve, if it remitted."""
    refund = ground.open_refund(world)
    if remitted:
        ground.remit(world, refund.amount_minor)
    return channel_says(world, refund, Status.FAILED)


def channel_says(world: World, refund: Refund, status: Status) -> Refund:
    amount_minor = refund.amount_minor if status == Status.SUCCEEDED else 0
    told = answer(status, reference=refund.id, amount_minor=amount_minor, code="CARD_CLOSED")
    return refunds.record_refund_answer(refund_id=refund.id, answer=told, at=world.now)


def propose(world: World, refund: Refund, **changes: Any) -> BankRefund:
    by = {"operator": ground.operator("ann"), "at": world.now}
    return escrow.propose_bank_refund(refund_id=refund.id, **{**ACCOUNT, **by, **changes})


def approve(world: World, found: BankRefund, name: str = "ben") -> BankRefund:
    return escrow.approve_bank_refund(
        bank_refund_id=found.id, operator=ground.operator(name), at=world.now
    )


def claim(world: World, found: BankRefund) -> int | None:
    return payouts.claim_bank_refund(bank_refund_id=found.id, at=world.now)


def bank_says(world: World, found: BankRefund, status: Status, **more: Any) -> BankRefund:
    amount_minor = found.amount_minor if status in (Status.SUCCEEDED, Status.RETURNED) else 0
    told = answer(status, reference=found.id, **{"amount_minor": amount_minor, **more})
    return payouts.record_bank_answer(bank_refund_id=found.id, answer=told, at=world.now)


def park(world: World, found: BankRefund) -> None:
    """The bank has never heard of it when its window is over, and forgets references."""
    payouts._take_not_found(bank_refund_id=found.id, final=True, resend=False, at=world.now)


def in_phase(world: World, phase: str) -> BankRefund:
    found = propose(world, refused_refund(world))
    bank, _, channel = phase.partition("+")
    if bank == "DROPPED":
        escrow.drop_bank_refund(bank_refund_id=found.id, reason="typo", at=world.now)
    if bank not in ("PROPOSED", "DROPPED"):
        approve(world, found)
    if bank not in ("PROPOSED", "DROPPED", "APPROVED"):
        assert claim(world, found) == 1
    if bank in ("UNKNOWN", "FAILED"):
        bank_says(world, found, Status(bank))
    if bank == "PARKED":
        park(world, found)
    if bank in ("PAID", "RETURNED"):
        bank_says(world, found, Status.SUCCEEDED)
    if bank == "RETURNED":
        bank_says(world, found, Status.RETURNED)
    if channel:
        channel_says(world, found.refund, Status.SUCCEEDED)
    return fresh(found)


def moves(world: World, found: BankRefund) -> dict[str, Callable[[], Any]]:
    """Everything anybody may try."""
    refund, key = found.refund, {"bank_refund_id": found.id, "at": world.now}
    return {
        "propose": lambda: propose(world, refund),
        "ask_channel_again": lambda: escrow.ask_channel_again(refund_id=refund.id, at=world.now),
        "approve": lambda: approve(world, found),
        "drop": lambda: escrow.drop_bank_refund(reason="no", **key),
        "claim": lambda: claim(world, found),
        "channel_pays": lambda: channel_says(world, refund, Status.SUCCEEDED),
        "bank_pays": lambda: bank_says(world, found, Status.SUCCEEDED),
        "bank_refuses": lambda: bank_says(world, found, Status.FAILED),
        "bank_returns": lambda: bank_says(world, found, Status.RETURNED),
        "bank_is_silent": lambda: bank_says(world, found, Status.UNKNOWN),
        "say_outcome": lambda: payouts.claim_bank_outcome(
            outcome="PAID", evidence="line 7", operator=ground.operator("ann"), **key
        ),
        "confirm_outcome": lambda: payouts.confirm_bank_outcome(
            outcome="PAID", operator=ground.operator("ben"), **key
        ),
    }


def fresh(found: BankRefund) -> BankRefund:
    return BankRefund.objects.select_related("refund__hold").get(pk=found.pk)


def phase_of(found: BankRefund) -> tuple[str, str]:
    """What the bank refund and its refund are in now."""
    now = fresh(found)
    state = "PARKED" if now.parked_at else str(now.state)
    return state, str(now.refund.state)
