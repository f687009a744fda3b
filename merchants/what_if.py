"""What past sales would have paid under other rules, beside what they did pay.

Pure; the terms frozen on an order hold the whole sale, so nothing else is read. It must never
change them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from merchants.freezing import compute
from merchants.rules import OrderedLine, Rule, Sale
from merchants.terms import Terms


@dataclass(frozen=True, slots=True)
class Sold:
    """A sold order: the terms frozen on it, what its buyer paid through, and what its seller had
    sold in the 30 days before (asked for only when a rule has tiers)."""

    order_id: str
    terms: Terms
    channel: str | None
    volume_minor: int | None

    @property
    def sale(self) -> Sale:
        return Sale(
            merchant_id=self.terms.merchant_id,
            currency=self.terms.currency,
            lines=[OrderedLine(line.category, line.amount_minor) for line in self.terms.lines],
            shipping_minor=self.terms.shipping_minor,
        )


@dataclass(frozen=True, slots=True)
class Repriced:
    """One order under its own terms and under the others."""

    order_id: str
    old: Terms
    new: Terms

    @property
    def difference_minor(self) -> int:
        """Minor units of commission more (or, below zero, less) than the order's own terms say."""
        return self.new.commission_minor - self.old.commission_minor


@dataclass(frozen=True, slots=True)
class Total:
    """All repriced orders of one currency. Amounts in its minor units."""

    currency: str
    orders: int
    amount_minor: int
    old_commission_minor: int
    new_commission_minor: int
    old_seller_minor: int
    new_seller_minor: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The orders in the order they were given, and one total per currency, by its code."""

    orders: tuple[Repriced, ...]
    totals: tuple[Total, ...]


def compare(
    *,
    sold: Iterable[Sold],
    plan_id: str | None,
    rules: Sequence[Rule],
    as_of: datetime,
) -> Comparison:
    """Price sold orders again, each with its own service fee and payment channel.

    Args: as_of: the rules in force at this instant count for every order, whenever it was created.
    """
    orders = tuple(
        Repriced(
            each.order_id,
            each.terms.under(each.channel),
            _price(each, plan_id=plan_id, rules=rules, as_of=as_of),
        )
        for each in sold
    )
    currencies = sorted({each.old.currency for each in orders})
    return Comparison(orders, tuple(_total(orders, currency) for currency in currencies))


def _price(sold: Sold, *, plan_id: str | None, rules: Sequence[Rule], as_of: datetime) -> Terms:
    return compute(
        plan_id=plan_id,
        rules=[rule for rule in rules if rule.merchant_id in (None, sold.terms.merchant_id)],
        sale=sold.sale,
        service_fee_bps=sold.terms.service_fee_bps,
        at=as_of,
        refund=sold.terms.refund,
        volume_minor=sold.volume_minor,
    ).under(sold.channel)


def _total(orders: Iterable[Repriced], currency: str) -> Total:
    mine = [each for each in orders if each.old.currency == currency]
    return Total(
        currency=currency,
        orders=len(mine),
        amount_minor=sum(each.old.amount_minor for each in mine),
        old_commission_minor=sum(each.old.commission_minor for each in mine),
        new_commission_minor=sum(each.new.commission_minor for each in mine),
        old_seller_minor=sum(each.old.seller_minor for each in mine),
        new_seller_minor=sum(each.new.seller_minor for each in mine),
    )
