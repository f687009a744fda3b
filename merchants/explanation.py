"""Tells people why an order was split as it was, from its frozen terms alone.

Pure; it must never look a rule up: the rule may have ended since, the terms say what counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from common.money import BPS, Money
from merchants.refund_policy import RefundPolicy
from merchants.rules import (
    AMOUNT,
    CATEGORY,
    CHANNEL,
    MERCHANT,
    CommissionBase,
    Rule,
    commission,
    party_part,
)
from merchants.terms import Group, LineTerms, LossReason, PassedOver, Terms

NAMES = {MERCHANT: "merchant", CATEGORY: "category", CHANNEL: "channel", AMOUNT: "order amount"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One step of the explanation: a code and its facts for machines, a sentence for people."""

    code: str
    sentence: str
    facts: Mapping[str, Any]


def explain(terms: Terms) -> tuple[Remark, ...]:
    """Say how the split came about, from the frozen terms alone.

    Returns: line by line who won and who lost and why, then the arithmetic of each group, then the
    service fee, what a refund gives back, what other channels change, what is held back and what
    is left for the seller.
    """
    rules = {group.rule.id: group.rule for group in terms.groups if group.rule}
    remarks: list[Remark] = []
    if terms.channel:
        facts = {"channel": terms.channel}
        remarks.append(Remark("channel", f"Paid through {terms.channel}.", facts))
    for number, line in enumerate(terms.lines, start=1):
        remarks += _explain_line(number, line, rules, terms.currency)
    for group in terms.groups:
        remarks += _explain_group(group, terms)
    amount = Money(terms.amount_minor, terms.currency)
    fee = Money(terms.service_fee_minor, terms.currency)
    seller = Money(terms.seller_minor, terms.currency)
    return (
        *remarks,
        Remark(
            "service_fee",
            f"Service fee: {_percent(terms.service_fee_bps)} of {amount} = {fee}.",
            {"rate_bps": terms.service_fee_bps, "service_fee_minor": terms.service_fee_minor},
        ),
        *_explain_channels(terms),
        _explain_refund(terms),
        *_explain_guarantee(terms),
        *_explain_reserve(terms),
        Remark("seller", f"Left for the seller: {seller}.", {"seller_minor": terms.seller_minor}),
    )


def _explain_line(
    number: int, line: LineTerms, rules: Mapping[str, Rule], currency: str
) -> list[Remark]:
    name = f"Line {number} ({line.category or 'no category'}, {Money(line.amount_minor, currency)})"
    if line.rule_id is None:
        return [Remark("no_rule", f"{name}: no rule matches, so no commission.", {"line": number})]
    winner = rules[line.rule_id]
    won = Remark(
        "rule_won",
        f"{name}: rule {winner.id} wins; it matches {_matched(winner.specificity)} "
        f"with priority {winner.priority}.",
        {"line": number, "rule_id": winner.id},
    )
    return [won, *(_explain_loss(number, loser, winner) for loser in line.passed_over)]


def _explain_loss(number: int, loser: PassedOver, winner: Rule) -> Remark:
    if loser.reason is LossReason.LOWER_PRIORITY:
        why = f"its priority {loser.priority} is lower than {winner.priority}"
    else:
        why = f"it matches only {_matched(loser.specificity)}"
    return Remark(
        "rule_lost",
        f"Rule {loser.rule_id} loses: {why}.",
        {"line": number, "rule_id": loser.rule_id, "reason": loser.reason.value},
    )


def _matched(specificity: int) -> str:
    names = [name for weight, name in NAMES.items() if specificity & weight]
    if len(names) < 2:
        return f"the {names[0]}" if names else "any line"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _explain_group(group: Group, terms: Terms) -> Iterator[Remark]:
    rule, currency = group.rule, terms.currency
    if rule is None:
        return
    if rule.tiers:
        yield _explain_tier(rule, group.rate_bps, terms)
    wanted = commission(rule, group.base_minor, volume_minor=terms.volume_minor or 0)
    base = "goods" if rule.base is CommissionBase.GOODS else "goods and shipping"
    steps = [
        f"Rule {rule.id}: {_percent(group.rate_bps)} of {Money(group.base_minor, currency)} "
        f"({base}) = {Money(group.percent_minor, currency)}"
    ]
    if group.base_minor == 0:
        steps.append("nothing was sold, so fixed part and floor do not apply")
    else:
        steps += _explain_bounds(rule, group.percent_minor, wanted, currency)
    if group.commission_minor < wanted:
        steps.append("cut to what the order leaves")
    yield Remark(
        "commission",
        f"{', '.join(steps)}; commission {Money(group.commission_minor, currency)}.",
        {"rule_id": rule.id, "commission_minor": group.commission_minor},
    )
    if rule.tax_bps:
        tax = f"{_percent(rule.tax_bps)} of {Money(group.commission_minor, currency)}"
        yield Remark(
            "tax",
            f"Tax on the commission: {tax} = {Money(group.tax_minor, currency)}.",
            {"rule_id": rule.id, "tax_bps": rule.tax_bps, "tax_minor": group.tax_minor},
        )
    yield from _explain_parties(rule, group, currency)


def _explain_tier(rule: Rule, rate_bps: int, terms: Terms) -> Remark:
    volume_minor = terms.volume_minor or 0
    reached = [tier for tier in rule.tiers if tier.from_minor <= volume_minor]
    if reached:
        which = f"which reaches the tier from {Money(reached[-1].from_minor, terms.currency)}"
    else:
        which = f"below the first tier from {Money(rule.tiers[0].from_minor, terms.currency)}"
    return Remark(
        "tier",
        f"Rule {rule.id}: the seller sold {Money(volume_minor, terms.currency)} of goods in the 30 "
        f"days before, {which}: {_percent(rate_bps)}.",
        {"rule_id": rule.id, "volume_minor": volume_minor, "rate_bps": rate_bps},
    )


def _explain_parties(rule: Rule, group: Group, currency: str) -> Iterator[Remark]:
    base = Money(group.base_minor, currency)
    for share, part in zip(rule.parties, group.parties, strict=True):
        steps = f"{_percent(share.rate_bps)} of {base}"
        if share.fixed_minor and group.base_minor:
            steps += f" plus {Money(share.fixed_minor, currency)}"
        cut = part.amount_minor < party_part(share, group.base_minor)
        steps += ", cut to what the order leaves" if cut else ""
        yield Remark(
            "party",
            f"Rule {rule.id}: {share.name} gets {steps}: {Money(part.amount_minor, currency)}.",
            {
                "rule_id": rule.id,
                "party_id": share.party_id,
                "amount_minor": part.amount_minor,
            },
        )


def _explain_bounds(rule: Rule, percent_minor: int, wanted: int, currency: str) -> list[str]:
    steps = []
    before = percent_minor + rule.fixed_minor
    if rule.fixed_minor:
        steps.append(f"plus {Money(rule.fixed_minor, currency)} = {Money(before, currency)}")
    if rule.floor_minor is not None:
        verb = "raised to" if wanted > before else "above"
        steps.append(f"{verb} the floor {Money(rule.floor_minor, currency)}")
    if rule.cap_minor is not None:
        verb = "cut to" if wanted < before else "within"
        steps.append(f"{verb} the cap {Money(rule.cap_minor, currency)}")
    return steps


def _explain_channels(terms: Terms) -> Iterator[Remark]:
    for other in terms.by_channel:
        commission = Money(other.commission_minor, terms.currency)
        seller = Money(other.seller_minor, terms.currency)
        yield Remark(
            "other_channel",
            f"If the buyer pays through {other.channel}: commission {commission}, left for the "
            f"seller {seller}.",
            {
                "channel": other.channel,
                "commission_minor": other.commission_minor,
                "seller_minor": other.seller_minor,
            },
        )


def _explain_refund(terms: Terms) -> Remark:
    policy = terms.refund
    fee = Money(
        policy.channel_fee_minor(
            amount_minor=terms.amount_minor, service_fee_minor=terms.service_fee_minor
        ),
        terms.currency,
    )
    if _returns_everything(policy):
        sentence = "When it is refunded, the seller gets every cut back."
    else:
        sentence = (
            f"When it is refunded, the seller gets back {_percent(policy.commission_returned_bps)}"
            f" of the commission, {_percent(policy.service_fee_returned_bps)} of the service fee"
            f" and {_percent(policy.party_returned_bps)} of the parts of further parties."
        )
    if policy.channel_fee_bps:
        sentence += (
            f" The channel keeps {_percent(policy.channel_fee_bps)} of"
            f" {Money(terms.amount_minor, terms.currency)} = {fee}; of that part of the service fee"
            f" the seller gets back {_percent(policy.channel_fee_returned_bps)}."
        )
    return Remark("refund_policy", sentence, asdict(policy))


def _explain_guarantee(terms: Terms) -> Iterator[Remark]:
    days = terms.guarantee.days if terms.guarantee else None
    if days is not None:
        yield Remark(
            "guarantee",
            f"What the seller cannot give back of a refund, the platform pays after {days} days.",
            {"guarantee_days": days},
        )


def _explain_reserve(terms: Terms) -> Iterator[Remark]:
    policy = terms.reserve
    if policy.bps:
        yield Remark(
            "reserve",
            f"At the release {_percent(policy.bps)} of the seller's part is held back, and freed"
            f" {policy.days} days later.",
            {"reserve_bps": policy.bps, "reserve_days": policy.days},
        )


def _returns_everything(policy: RefundPolicy) -> bool:
    return (
        policy.commission_returned_bps,
        policy.service_fee_returned_bps,
        policy.party_returned_bps,
    ) == (BPS, BPS, BPS)


def _percent(rate_bps: int) -> str:
    whole, rest = divmod(rate_bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"
