"""Freezes the terms of a sale: lets the rules compete for its lines and works out every part.

Pure arithmetic over plain values; it must never read a rule that is not handed to it, nor a clock.

Ranking: the higher priority wins; then the more specific match (`Rule.specificity`: seller, then
category, channel, order amount). Two rules of equal rank cannot both match: `merchants.services.
add_rule` refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from common.money import BPS, allocate, share_half_up
from merchants.guarantee_policy import NO_GUARANTEE, GuaranteePolicy
from merchants.refund_policy import EVERYTHING_RETURNED, RefundPolicy
from merchants.reserve_policy import NO_RESERVE, ReservePolicy
from merchants.rules import CommissionBase, OrderedLine, Rule, Sale, commission, party_part
from merchants.terms import (
    Group,
    LineTerms,
    LossReason,
    PartyPart,
    PassedOver,
    Terms,
    sum_parties,
)


def compute(
    *,
    plan_id: str | None,
    rules: Iterable[Rule],
    sale: Sale,
    service_fee_bps: int,
    at: datetime,
    refund: RefundPolicy = EVERYTHING_RETURNED,
    guarantee: GuaranteePolicy = NO_GUARANTEE,
    reserve: ReservePolicy = NO_RESERVE,
    volume_minor: int | None = None,
) -> Terms:
    """Freeze the terms of one order: those of any channel, and whole ones for each channel that a
    matching rule speaks about.

    Lines won by the same rule form a group, in order of their first line; lines nobody wins form
    one too. Shipping is allocated to the groups in proportion to their goods (to their number of
    lines when all goods are free). A group's commission is the rate's share of its base, half-up,
    plus the fixed part, then at least the floor, then at most the cap; the tax is its rate of that
    commission, half-up; a party's part is the rate's share of the same base, half-up, plus its
    fixed part. A group whose base is zero pays nothing, not even fixed part or floor: nothing was
    sold. The service fee is its rate of the whole amount, half-up.

    The seller never falls below zero. The service fee comes first; commissions with their tax that
    exceed what it leaves are cut to it in proportion, and so are then the parties' parts to what
    the commissions leave.

    Args: sale: with at least one line. at: the creation of the order. volume_minor: the seller's
        trailing volume; must be given when `needs_volume` says so.
    """
    assert sale.lines, "an order has at least one line"
    assert at.tzinfo is not None, at
    assert 0 <= service_fee_bps <= BPS, service_fee_bps
    assert sale.shipping_minor >= 0 <= min(line.amount_minor for line in sale.lines), sale
    known = list(rules)
    settle = partial(
        _settle,
        rules=known,
        sale=sale,
        plan_id=plan_id,
        fee_bps=service_fee_bps,
        refund=refund,
        guarantee=guarantee,
        reserve=reserve,
        volume_minor=volume_minor,
        at=at,
    )
    channels = _channels(known, sale, at=at)
    return settle(channel="", by_channel=tuple(settle(channel=each) for each in channels))


def needs_volume(*, rules: Iterable[Rule], sale: Sale, at: datetime) -> bool:
    """Say whether a rule with tiers wins a line of the sale, whatever the buyer pays with."""
    known = list(rules)
    if not any(rule.tiers for rule in known):
        return False
    by_id = {rule.id: rule for rule in known}
    return any(
        drawn.rule_id and by_id[drawn.rule_id].tiers
        for channel in ("", *_channels(known, sale, at=at))
        for drawn in (_draw(line, known, sale, channel=channel, at=at) for line in sale.lines)
    )


def _channels(rules: Sequence[Rule], sale: Sale, *, at: datetime) -> list[str]:
    """The channels some rule matches the sale for, by name."""
    speaking = [rule for rule in rules if rule.channel]
    if not speaking:
        return []
    categories = {line.category for line in sale.lines}
    return sorted(
        {
            rule.channel
            for rule in speaking
            for category in categories
            if rule.matches(sale, category=category, channel=rule.channel, at=at)
        }
    )


def _settle(
    *,
    rules: list[Rule],
    sale: Sale,
    plan_id: str | None,
    fee_bps: int,
    refund: RefundPolicy,
    guarantee: GuaranteePolicy,
    reserve: ReservePolicy,
    volume_minor: int | None,
    at: datetime,
    channel: str,
    by_channel: tuple[Terms, ...] = (),
) -> Terms:
    """Work out the terms of one channel; without one, of all the others."""
    drawn = tuple(_draw(line, rules, sale, channel=channel, at=at) for line in sale.lines)
    by_id = {rule.id: rule for rule in rules}
    winners = [by_id[line.rule_id] for line in drawn if line.rule_id]
    volume = volume_minor if any(rule.tiers for rule in winners) else None
    assert volume is not None or not any(rule.tiers for rule in winners), "the volume is missing"
    fee_minor = share_half_up(sale.amount_minor, fee_bps)
    groups = _groups(drawn, by_id, sale.shipping_minor, volume_minor=volume or 0)
    groups = _limit(groups, sale.amount_minor - fee_minor)
    return Terms(
        plan_id=plan_id,
        merchant_id=sale.merchant_id,
        currency=sale.currency,
        frozen_at=at.astimezone(UTC),
        channel=channel,
        goods_minor=sale.goods_minor,
        shipping_minor=sale.shipping_minor,
        lines=drawn,
        groups=groups,
        commission_minor=sum(group.commission_minor for group in groups),
        tax_minor=sum(group.tax_minor for group in groups),
        parties=sum_parties(groups),
        service_fee_bps=fee_bps,
        service_fee_minor=fee_minor,
        refund=refund,
        volume_minor=volume,
        by_channel=by_channel,
        guarantee=guarantee,
        reserve=reserve,
    )


def _draw(
    line: OrderedLine, rules: list[Rule], sale: Sale, *, channel: str, at: datetime
) -> LineTerms:
    """Let the rules that match a line compete for it."""
    rivals = [
        rule for rule in rules if rule.matches(sale, category=line.category, channel=channel, at=at)
    ]
    rivals.sort(key=lambda rule: (-rule.priority, -rule.specificity))
    if not rivals:
        return LineTerms(line.category, line.amount_minor, None, ())
    winner, losers = rivals[0], rivals[1:]
    return LineTerms(
        line.category,
        line.amount_minor,
        winner.id,
        tuple(_pass_over(rule, winner) for rule in losers),
    )


def _pass_over(rule: Rule, winner: Rule) -> PassedOver:
    lower = rule.priority < winner.priority
    assert lower or rule.specificity < winner.specificity, ("rules of equal rank", rule, winner)
    reason = LossReason.LOWER_PRIORITY if lower else LossReason.LESS_SPECIFIC
    return PassedOver(rule.id, reason, rule.priority, rule.specificity)


def _groups(
    drawn: Sequence[LineTerms],
    rules: Mapping[str, Rule],
    shipping_minor: int,
    *,
    volume_minor: int,
) -> tuple[Group, ...]:
    goods: dict[str | None, int] = {}
    counts: dict[str | None, int] = {}
    for line in drawn:
        goods[line.rule_id] = goods.get(line.rule_id, 0) + line.amount_minor
        counts[line.rule_id] = counts.get(line.rule_id, 0) + 1
    weights = list(goods.values()) if sum(goods.values()) else list(counts.values())
    shipping = allocate(shipping_minor, weights)
    return tuple(
        _group(rules[rule_id] if rule_id else None, goods_minor, part, volume_minor=volume_minor)
        for (rule_id, goods_minor), part in zip(goods.items(), shipping, strict=True)
    )


def _group(rule: Rule | None, goods_minor: int, shipping_minor: int, *, volume_minor: int) -> Group:
    if rule is None:
        return Group(None, goods_minor, shipping_minor, 0, 0, 0, 0, 0, ())
    with_shipping = rule.base is CommissionBase.GOODS_AND_SHIPPING
    base_minor = goods_minor + (shipping_minor if with_shipping else 0)
    rate_bps = rule.rate_at(volume_minor)
    taken = commission(rule, base_minor, volume_minor=volume_minor)
    return Group(
        rule=rule,
        goods_minor=goods_minor,
        shipping_minor=shipping_minor,
        base_minor=base_minor,
        rate_bps=rate_bps,
        percent_minor=share_half_up(base_minor, rate_bps),
        commission_minor=taken,
        tax_minor=share_half_up(taken, rule.tax_bps),
        parties=tuple(
            PartyPart(share.party_id, share.name, party_part(share, base_minor))
            for share in rule.parties
        ),
    )


def _limit(groups: tuple[Group, ...], limit_minor: int) -> tuple[Group, ...]:
    """Cut commissions with their tax, then the parties' parts, in proportion to what they came to,
    where together they exceed what is left."""
    wanted = [group.commission_minor + group.tax_minor for group in groups]
    if sum(wanted) > limit_minor:
        groups = tuple(
            _cut_commission(group, part)
            for group, part in zip(groups, allocate(limit_minor, wanted), strict=True)
        )
    left = limit_minor - min(limit_minor, sum(wanted))
    parts = [part.amount_minor for group in groups for part in group.parties]
    if sum(parts) <= left:
        return groups
    cut = iter(allocate(left, parts))
    return tuple(
        replace(
            group, parties=tuple(replace(part, amount_minor=next(cut)) for part in group.parties)
        )
        for group in groups
    )


def _cut_commission(group: Group, gross_minor: int) -> Group:
    wanted = [group.commission_minor, group.tax_minor]
    if not any(wanted):
        return group
    taken, tax = allocate(gross_minor, wanted)
    return replace(group, commission_minor=taken, tax_minor=tax)
