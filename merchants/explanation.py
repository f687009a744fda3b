"""Tells people why an order was split as it was, from its frozen terms alone.

Pure; it must never look a rule up: the rule may have ended since, the terms say what counted.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from common.money import Money
from merchants.refund_policy import EVERYTHING_RETURNED, RefundPolicy
from merchants.terms import (
    CommissionBase,
    Group,
    LineTerms,
    LossReason,
    PassedOver,
    Rule,
    Terms,
    commission,
)

SPECIFICITY = {0: "any line", 1: "the category", 2: "the merchant", 3: "merchant and category"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One step of the explanation: a code and its facts for machines, a sentence for people."""

    code: str
    sentence: str
    facts: Mapping[str, Any]


def explain(terms: Terms) -> tuple[Remark, ...]:
    """Say how the split came about, from the frozen terms alone.

    Returns: line by line who won and who lost and why, then the arithmetic of each group, then the
    service fee, what a refund gives back and what is left for the seller.
    """
    rules = {group.rule.id: group.rule for group in terms.groups if group.rule}
    remarks: list[Remark] = []
    for number, line in enumerate(terms.lines, start=1):
        remarks += _explain_line(number, line, rules, terms.currency)
    for group in terms.groups:
        remarks += _explain_group(group, terms.currency)
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
        _explain_refund(terms.refund),
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
        f"{name}: rule {winner.id} wins; it matches {SPECIFICITY[winner.specificity]} "
        f"with priority {winner.priority}.",
        {"line": number, "rule_id": winner.id},
    )
    return [won, *(_explain_loss(number, loser, winner) for loser in line.passed_over)]


def _explain_loss(number: int, loser: PassedOver, winner: Rule) -> Remark:
    if loser.reason is LossReason.LOWER_PRIORITY:
        why = f"its priority {loser.priority} is lower than {winner.priority}"
    else:
        why = f"it matches only {SPECIFICITY[loser.specificity]}"
    return Remark(
        "rule_lost",
        f"Rule {loser.rule_id} loses: {why}.",
        {"line": number, "rule_id": loser.rule_id, "reason": loser.reason.value},
    )


def _explain_group(group: Group, currency: str) -> list[Remark]:
    rule = group.rule
    if rule is None:
        return []
    wanted = commission(rule, group.base_minor)
    base = "goods" if rule.base is CommissionBase.GOODS else "goods and shipping"
    steps = [
        f"Rule {rule.id}: {_percent(rule.rate_bps)} of {Money(group.base_minor, currency)} "
        f"({base}) = {Money(group.percent_minor, currency)}"
    ]
    if group.base_minor == 0:
        steps.append("nothing was sold, so fixed part and floor do not apply")
    else:
        steps += _explain_bounds(rule, group.percent_minor, wanted, currency)
    if group.commission_minor < wanted:
        steps.append("cut to what the order leaves")
    sentence = f"{', '.join(steps)}; commission {Money(group.commission_minor, currency)}."
    return [
        Remark(
            "commission",
            sentence,
            {"rule_id": rule.id, "commission_minor": group.commission_minor},
        )
    ]


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


def _explain_refund(policy: RefundPolicy) -> Remark:
    if policy == EVERYTHING_RETURNED:
        sentence = "When it is refunded, the seller gets every cut back."
    else:
        sentence = (
            f"When it is refunded, the seller gets back {_percent(policy.commission_returned_bps)}"
            f" of the commission, {_percent(policy.service_fee_returned_bps)} of the service fee"
            f" and {_percent(policy.party_returned_bps)} of the parts of further parties."
        )
    return Remark("refund_policy", sentence, asdict(policy))


def _percent(rate_bps: int) -> str:
    whole, rest = divmod(rate_bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"
