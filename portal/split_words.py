"""Why an order is split as it is, in the reader's words, from its frozen terms alone.

What merchants/explanation.py says to machines and operators, said shorter to people who sell. It
must never look a rule up: the terms say what counted.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from merchants.refund_policy import EVERYTHING_RETURNED
from merchants.rules import AMOUNT, CATEGORY, CHANNEL, MERCHANT, CommissionBase, Rule
from merchants.terms import Group, Terms
from portal.formats import money, percent


def split_words(terms: Terms) -> list[str]:
    """Say it line by line: what the rule that won takes, and why it was that one."""
    return [sentence for part in _parts(terms) for sentence in part]


def _parts(terms: Terms) -> Iterator[Iterator[str]]:
    for group in terms.groups:
        yield _commission(group, terms)
    yield _rest(terms)


def _commission(group: Group, terms: Terms) -> Iterator[str]:
    rule, currency = group.rule, terms.currency
    if rule is None:
        goods = money(group.goods_minor, currency)
        yield _("No commission rule matches goods of %(goods)s: no commission.") % {"goods": goods}
        return
    shipping = rule.base is CommissionBase.GOODS_AND_SHIPPING
    words = {
        "rate": percent(group.rate_bps),
        "base": money(group.base_minor, currency),
        "part": money(group.percent_minor, currency),
    }
    if shipping:
        yield _("Commission: %(rate)s of %(base)s (goods and shipping) is %(part)s.") % words
    else:
        yield _("Commission: %(rate)s of %(base)s (goods) is %(part)s.") % words
    yield from _bounds(group, rule, currency)
    yield _why(rule)
    yield from _passed_over(group, terms)
    if rule.tiers and terms.volume_minor is not None:
        volume = money(terms.volume_minor, currency)
        yield _("The rate is by the goods sold in the 30 days before: %(volume)s.") % {
            "volume": volume
        }
    if group.tax_minor:
        yield _("Tax on the commission: %(rate)s, which is %(tax)s.") % {
            "rate": percent(rule.tax_bps),
            "tax": money(group.tax_minor, currency),
        }
    for part in group.parties:
        yield _("%(name)s gets %(amount)s.") % {
            "name": part.name,
            "amount": money(part.amount_minor, currency),
        }


def _bounds(group: Group, rule: Rule, currency: str) -> Iterator[str]:
    if rule.fixed_minor:
        yield _("A fixed part of %(fixed)s is added.") % {
            "fixed": money(rule.fixed_minor, currency)
        }
    if rule.floor_minor is not None:
        yield _("It is never less than %(floor)s.") % {"floor": money(rule.floor_minor, currency)}
    if rule.cap_minor is not None:
        yield _("It is never more than %(cap)s.") % {"cap": money(rule.cap_minor, currency)}
    if group.commission_minor != group.percent_minor:
        yield _("So the commission is %(commission)s.") % {
            "commission": money(group.commission_minor, currency)
        }


def _why(rule: Rule) -> str:
    names = {
        MERCHANT: _("this seller"),
        CATEGORY: _("this category"),
        CHANNEL: _("this way to pay"),
        AMOUNT: _("orders of this size"),
    }
    matched = [name for weight, name in names.items() if rule.specificity & weight]
    if not matched:
        return _("It is the rule for every sale.")
    return _("It is the rule for %(matched)s.") % {"matched": _(", ").join(matched)}


def _passed_over(group: Group, terms: Terms) -> Iterator[str]:
    assert group.rule is not None
    losers = {
        loser.rule_id
        for line in terms.lines
        if line.rule_id == group.rule.id
        for loser in line.passed_over
    }
    if losers:
        count = len(losers)
        yield ngettext(
            "%(count)d other rule matches too, but comes after it.",
            "%(count)d other rules match too, but come after it.",
            count,
        ) % {"count": count}


def _rest(terms: Terms) -> Iterator[str]:
    yield _("Service fee: %(rate)s of %(amount)s is %(fee)s.") % {
        "rate": percent(terms.service_fee_bps),
        "amount": money(terms.amount_minor, terms.currency),
        "fee": money(terms.service_fee_minor, terms.currency),
    }
    yield _("What is left is the seller's: %(amount)s.") % {
        "amount": money(terms.seller_minor, terms.currency)
    }
    if terms.reserve.bps:
        yield _("Of that, %(rate)s is held back for %(days)d days after the release.") % {
            "rate": percent(terms.reserve.bps),
            "days": terms.reserve.days,
        }
    if terms.refund == EVERYTHING_RETURNED:
        yield _("When it is refunded, the seller gets every cut back.")
    else:
        yield _("When it is refunded, the seller gets back %(rate)s of the commission.") % {
            "rate": percent(terms.refund.commission_returned_bps)
        }
