"""What can happen to a sale, on both sides. Each action gets two numbers below 1000, which say how
much of what.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from escrow.models import Actor, DisputeReason, SellerAnswer
from escrow.services import hold as holds
from escrow.services import order_refunds
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services.disputes import answering, chargebacks, deciding, opening, returns
from orders.services import lifecycle
from orders.services.creation import NewLine
from tests import ground
from tests.lives import disputes
from tests.lives.both import Both
from tests.lives.oracle import Sale

Action = Callable[[Both, int, int, int], None]


def some(left: int, part: int) -> int:
    """So many thousandths of what is left, at least 1, and now and then too much."""
    return max(1, left * part // 990)


# A sale


def buy(both: Both, life: int, x: int, y: int) -> None:
    _buy(both, [life], x, y)


def buy_cart(both: Both, life: int, x: int, y: int) -> None:
    """Two orders of two sellers, paid at once."""
    _buy(both, [life, life + 1], x, y)


def _buy(both: Both, lives: list[int], x: int, y: int) -> None:
    both.note()
    placed, facts = [], []
    for life in lives:
        goods, shipping = 1 + (x * (life + 3) * 7) % (20, 900, 20_000)[y % 3], y * life % 700
        merchant = both.world.merchants[(x + life) % len(both.world.merchants)]
        order, _token = both.world.create_order(
            merchant,
            lines=[NewLine(title="Tea", amount_minor=goods)],
            shipping_minor=shipping,
        )
        placed.append(order)
        facts.append((f"merchant:{merchant.id}:payable", goods, shipping))
    payment = ground.make_payment(both.world, *placed)
    holds.record_capture(
        payment_id=payment.id,
        provider_reference=f"P{both.number()}",
        amount_minor=payment.amount_minor,
        currency="CNY",
        paid_at=both.now,
        at=both.now,
    )
    for life, order, (seller, goods, shipping) in zip(lives, placed, facts, strict=True):
        both.orders[life] = order.id
        both.oracle.buy(
            order.id,
            seller=seller,
            goods=goods,
            shipping=shipping,
            payment=payment.id,
            at=both.now,
        )


def ship(both: Both, life: int, x: int, y: int) -> None:
    sale, at = both.sale(life), both.now
    both.attempt(
        lambda: both.oracle.ship(sale, at=at),
        lambda: lifecycle.ship_order(order_id=sale.id, carrier="SF", tracking_number="SF1", at=at),
    )


def confirm(both: Both, life: int, x: int, y: int) -> None:
    sale, at = both.sale(life), both.now
    both.attempt(
        lambda: both.oracle.confirm(sale, at=at),
        lambda: releases.confirm_receipt(order_id=sale.id, at=at),
    )


def cancel(both: Both, life: int, x: int, y: int) -> None:
    sale = both.sale(life)
    both.attempt(
        lambda: both.oracle.cancel(sale),
        lambda: refunds.cancel_paid_order(order_id=sale.id, reason="PLATFORM", at=both.now),
    )


# Refunds and chargebacks


def refund(both: Both, life: int, x: int, y: int) -> None:
    _refund(both, both.sale(life), some(both.sale(life).left, x))


def refund_all(both: Both, life: int, x: int, y: int) -> None:
    _refund(both, both.sale(life), None)


def _refund(both: Both, sale: Sale, amount: int | None) -> None:
    at = both.now
    both.attempt(
        lambda: both.oracle.refund(sale, amount, at=at),
        lambda: order_refunds.refund_order(
            order_id=sale.id, amount_minor=amount, reason="broken", at=at
        ),
    )


def charge_back(both: Both, life: int, x: int, y: int) -> None:
    """The channel has taken a part of a payment back, held or released, and now and then says it
    took more than there was."""
    payment = both.sale(life).payment
    alike = sorted(
        (sale for sale in both.oracle.sales.values() if sale.payment == payment),
        key=lambda sale: sale.id,
    )
    total = sum(sale.amount for sale in alike)
    amount = some(total, x)
    parts = _in_proportion(amount, {sale.id: sale.amount for sale in alike})
    parts = {id: part for id, part in parts.items() if part}
    struck = [sale for sale in alike if sale.id in parts]
    stood = [(sale.state, sale.complaint, bool(sale.freezes)) for sale in struck]
    made = both.attempt(
        lambda: both.oracle.charge_back(parts, at=both.now),
        lambda: chargebacks.record_chargeback(
            payment_id=payment,
            provider_reference=f"C{both.number()}",
            amount_minor=amount,
            currency="CNY",
            at=both.now,
        ),
    )
    for state, complaint, frozen in stood if made else ():
        released = "released" if state == "CONFIRMED" else "held"
        beside = ", beside a complaint" if complaint else ", frozen" if frozen else ""
        both.note(f"charge_back of {released} money{beside}")
    if made and both.oracle.own_funds() < 0:
        both.note("charge_back, own funds below zero")


def _in_proportion(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Largest remainders, the earlier on a tie."""
    total = sum(weights.values())
    exact = {id: Fraction(amount * weight, total) for id, weight in weights.items()}
    parts = {id: int(part) for id, part in exact.items()}
    order = sorted(exact, key=lambda id: parts[id] - exact[id])
    for id in order[: amount - sum(parts.values())]:
        parts[id] += 1
    return parts


# Complaints


def complain(both: Both, life: int, x: int, y: int) -> None:
    sale, at = both.sale(life), both.now
    asked = None if y < 400 else some(sale.left, x)
    made = both.attempt(
        lambda: disputes.check_open(sale, asked, at=at),
        lambda: opening.open_dispute(
            order_id=sale.id,
            by=Actor.BUYER,
            reason=DisputeReason.DAMAGED,
            asked_minor=asked,
            at=at,
        ),
    )
    if made is not None:
        disputes.opened(sale, made.id, disputes.check_open(sale, asked, at=at), at=at)


def _two_decide(both: Both, *, dispute_id: str, at: datetime, **decision: Any) -> None:
    first, second = both.operators
    deciding.propose_decision(
        dispute_id=dispute_id, operator=first, reason="photos", at=at, **decision
    )
    deciding.approve_decision(dispute_id=dispute_id, operator=second, at=at)


SELLER, BUYER = {"by": Actor.MERCHANT}, {"by": Actor.BUYER}
# What each side can do in a complaint: here, with which facts, and as the oracle sees it.
MOVES: dict[str, tuple[Callable[..., Any], dict[str, Any], Callable[..., None]]] = {
    "accept": (answering.answer_dispute, SELLER | {"answer": "ACCEPT"}, disputes.accept),
    "contest": (answering.answer_dispute, SELLER | {"answer": "CONTEST"}, disputes.contest),
    "take_offer": (answering.accept_offer, BUYER, disputes.take_offer),
    "decline": (answering.decline_offer, BUYER, disputes.decline),
    "withdraw": (answering.withdraw_dispute, BUYER, disputes.withdraw),
    "send_back": (
        returns.send_back,
        BUYER | {"carrier": "SF", "tracking_number": "SF9"},
        disputes.send_back,
    ),
    "receive": (returns.receive_return, SELLER, disputes.receive),
    "refuse": (returns.refuse_return, SELLER | {"text": "no"}, disputes.refuse),
}


def move(verb: str) -> Action:
    """One of `MOVES`, about the complaint that is there, if one is."""
    act, facts, rule = MOVES[verb]

    def make(both: Both, life: int, x: int, y: int) -> None:
        sale, at = both.sale(life), both.now
        if sale.complaint is not None:
            id = sale.complaint.id
            both.attempt(
                lambda: rule(both.oracle, sale, at=at), lambda: act(dispute_id=id, at=at, **facts)
            )

    return make


def offer(both: Both, life: int, x: int, y: int) -> None:
    sale, at = both.sale(life), both.now
    if sale.complaint is not None:
        id, amount, goods_first = sale.complaint.id, some(sale.complaint.asked, x), y % 2 == 0
        both.attempt(
            lambda: disputes.offer(
                both.oracle, sale, at=at, amount=amount, goods_first=goods_first
            ),
            lambda: answering.answer_dispute(
                dispute_id=id,
                answer=SellerAnswer.OFFER,
                offer_minor=amount,
                needs_return=goods_first,
                by=Actor.MERCHANT,
                at=at,
            ),
        )


def decide(both: Both, life: int, x: int, y: int) -> None:
    sale, at = both.sale(life), both.now
    if sale.complaint is not None:
        id, goods_first = sale.complaint.id, y % 5 == 0
        amount = some(sale.complaint.stake, x) if y >= 150 else 0
        both.attempt(
            lambda: disputes.decide(
                both.oracle, sale, at=at, amount=amount, goods_first=goods_first
            ),
            lambda: _two_decide(
                both, dispute_id=id, at=at, amount_minor=amount, needs_return=goods_first
            ),
        )
