"""In which order rules are tried for a line, and why one does not even compete. Pure values."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from merchants.rules import Rule, Sale


class Mismatch(StrEnum):
    """The first thing about a sale that a rule does not speak of."""

    CURRENCY = "CURRENCY"
    TIME = "TIME"
    MERCHANT = "MERCHANT"
    CATEGORY = "CATEGORY"
    CHANNEL = "CHANNEL"
    AMOUNT = "AMOUNT"


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Sort rules as they are tried: the first that matches a line wins it.

    Currencies come apart, since no sale meets rules of two; rules of equal rank never match the
    same line.
    """
    return sorted(
        rules,
        key=lambda rule: (
            rule.currency,
            -rule.priority,
            -rule.specificity,
            rule.category,
            rule.channel,
            rule.min_order_minor or 0,
            rule.id,
        ),
    )


def mismatch(
    rule: Rule, sale: Sale, *, category: str, channel: str, at: datetime
) -> Mismatch | None:
    """Say why a rule does not speak about a line of a sale; None: it does.

    Args: channel: as of `Rule.matches`.
    """
    if rule.matches(sale, category=category, channel=channel, at=at):
        return None
    if rule.currency != sale.currency:
        return Mismatch.CURRENCY
    if at < rule.effective_from or (rule.effective_to is not None and rule.effective_to <= at):
        return Mismatch.TIME
    if rule.merchant_id not in (None, sale.merchant_id):
        return Mismatch.MERCHANT
    if rule.category not in ("", category):
        return Mismatch.CATEGORY
    if rule.channel not in ("", channel):
        return Mismatch.CHANNEL
    return Mismatch.AMOUNT
