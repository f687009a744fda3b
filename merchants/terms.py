"""The commission terms frozen on an order: which rule won for each line, and what it comes to.

Pure arithmetic over plain values; it must never read a rule that is not handed to it, nor a clock.

Ranking: the higher priority wins; then the more specific match (merchant and category, merchant,
category, any). Two rules of equal rank cannot both match: `merchants.services.add_rule` refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from common.errors import DomainError
from common.money import BPS, allocate, share_half_up
from merchants.refund_policy import EVERYTHING_RETURNED, RefundPolicy

JSON_VERSION = 2  # 1 had no refund policy: everything was returned


class TermsUnreadable(DomainError):
    """The JSON is not terms this version wrote; nothing is guessed."""

    code = "terms_unreadable"
    status = 500


class CommissionBase(StrEnum):
    GOODS = "GOODS"
    GOODS_AND_SHIPPING = "GOODS_AND_SHIPPING"


class LossReason(StrEnum):
    """Why a rule that matches a line did not win it."""

    LOWER_PRIORITY = "LOWER_PRIORITY"
    LESS_SPECIFIC = "LESS_SPECIFIC"


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """One order line: `amount_minor` is what the buyer pays for its goods, >= 0."""

    category: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sale:
    """What the commission of an order depends on. Amounts in minor units of `currency`."""

    merchant_id: str
    currency: str
    lines: Sequence[OrderedLine]  # at least one
    shipping_minor: int  # >= 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A commission rule as it stood when the order was created."""

    id: str
    priority: int
    merchant_id: str | None
    category: str  # empty: any
    currency: str
    rate_bps: int
    fixed_minor: int
    floor_minor: int | None
    cap_minor: int | None
    base: CommissionBase
    effective_from: datetime
    effective_to: datetime | None  # not included

    @property
    def specificity(self) -> int:
        """Rank a match: merchant and category 3, merchant 2, category 1, any 0."""
        return 2 * (self.merchant_id is not None) + (self.category != "")

    def matches(self, *, merchant_id: str, category: str, currency: str, at: datetime) -> bool:
        """Say whether the rule speaks about such a line at that instant."""
        return (
            self.currency == currency
            and self.merchant_id in (None, merchant_id)
            and self.category in ("", category)
            and self.effective_from <= at
            and (self.effective_to is None or at < self.effective_to)
        )


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A rule that matched a line and lost it."""

    rule_id: str
    reason: LossReason
    priority: int
    specificity: int


@dataclass(frozen=True, slots=True)
class LineTerms:
    """One order line with its winning rule, if any."""

    category: str
    amount_minor: int
    rule_id: str | None
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The lines one rule has won, with their share of the shipping. All amounts are minor units.

    `percent_minor` is the rate's share of `base_minor`; `commission_minor` is what is taken in the
    end, after fixed part, floor, cap and the limit of the order.
    """

    rule: Rule | None
    goods_minor: int
    shipping_minor: int
    base_minor: int
    percent_minor: int
    commission_minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything the split of an order needs; the parts are checked whenever terms are built."""

    plan_id: str | None
    merchant_id: str
    currency: str
    frozen_at: datetime
    goods_minor: int
    shipping_minor: int
    lines: tuple[LineTerms, ...]
    groups: tuple[Group, ...]
    commission_minor: int
    service_fee_bps: int
    service_fee_minor: int
    refund: RefundPolicy

    def __post_init__(self) -> None:
        assert self.goods_minor == sum(line.amount_minor for line in self.lines), self
        assert self.goods_minor == sum(group.goods_minor for group in self.groups), self
        assert self.shipping_minor == sum(group.shipping_minor for group in self.groups), self
        assert self.commission_minor == sum(group.commission_minor for group in self.groups), self
        assert self.commission_minor >= 0 <= self.service_fee_minor, self
        assert self.seller_minor >= 0, self

    @property
    def amount_minor(self) -> int:
        """What the buyer pays: goods and shipping."""
        return self.goods_minor + self.shipping_minor

    @property
    def seller_minor(self) -> int:
        """What is left for the seller when the whole order is released."""
        return self.amount_minor - self.commission_minor - self.service_fee_minor

    def to_json(self) -> dict[str, Any]:
        """Write the terms as JSON-able values: nothing needs computing again later."""
        return {"version": JSON_VERSION, **_plain(asdict(self))}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, now or as version 1. Raises: TermsUnreadable."""
        version = written.get("version")
        if version not in (1, JSON_VERSION):
            raise TermsUnreadable(f"These terms have version {version!r}.")
        fields = {name: value for name, value in written.items() if name != "version"}
        if version == 1:
            fields["refund"] = asdict(EVERYTHING_RETURNED)
        _refuse_fractions(fields)
        try:
            return cls(
                **fields
                | {
                    "frozen_at": datetime.fromisoformat(fields["frozen_at"]),
                    "lines": tuple(_read_line(line) for line in fields["lines"]),
                    "groups": tuple(_read_group(group) for group in fields["groups"]),
                    "refund": RefundPolicy(**fields["refund"]),
                }
            )
        except (AssertionError, KeyError, TypeError, ValueError) as broken:
            raise TermsUnreadable("These terms are damaged: their parts do not add up.") from broken


def compute(
    *,
    plan_id: str | None,
    rules: Iterable[Rule],
    lines: Sequence[OrderedLine],
    merchant_id: str,
    currency: str,
    shipping_minor: int,
    service_fee_bps: int,
    at: datetime,
    refund: RefundPolicy = EVERYTHING_RETURNED,
) -> Terms:
    """Freeze the terms of one order.

    Lines won by the same rule form a group, in order of their first line; lines nobody wins form
    one too. Shipping is allocated to the groups in proportion to their goods (to their number of
    lines when all goods are free). A group's commission is the rate's share of its base, half-up,
    plus the fixed part, then at least the floor, then at most the cap. A group whose base is zero
    pays nothing, not even fixed part or floor: nothing was sold. The service fee is its rate of the
    whole amount, half-up. When commissions exceed what the service fee leaves of the order, they
    are cut to it in proportion, so that the seller never falls below zero.

    Args: lines: at least one. shipping_minor: >= 0. at: the creation of the order.
    """
    assert lines, "an order has at least one line"
    assert at.tzinfo is not None, at
    assert 0 <= service_fee_bps <= BPS, service_fee_bps
    assert shipping_minor >= 0 <= min(line.amount_minor for line in lines), (lines, shipping_minor)
    known = list(rules)
    drawn = [
        _draw(line, known, merchant_id=merchant_id, currency=currency, at=at) for line in lines
    ]
    goods_minor = sum(line.amount_minor for line in lines)
    fee_minor = share_half_up(goods_minor + shipping_minor, service_fee_bps)
    groups = _groups(drawn, {rule.id: rule for rule in known}, shipping_minor)
    groups = _limit(groups, goods_minor + shipping_minor - fee_minor)
    return Terms(
        plan_id=plan_id,
        merchant_id=merchant_id,
        currency=currency,
        frozen_at=at.astimezone(UTC),
        goods_minor=goods_minor,
        shipping_minor=shipping_minor,
        lines=tuple(drawn),
        groups=groups,
        commission_minor=sum(group.commission_minor for group in groups),
        service_fee_bps=service_fee_bps,
        service_fee_minor=fee_minor,
        refund=refund,
    )


def commission(rule: Rule, base_minor: int) -> int:
    """Apply a rule to its base: rate half-up and fixed part, then floor, then cap; zero of zero."""
    if base_minor == 0:
        return 0
    taken = share_half_up(base_minor, rule.rate_bps) + rule.fixed_minor
    if rule.floor_minor is not None:
        taken = max(taken, rule.floor_minor)
    if rule.cap_minor is not None:
        taken = min(taken, rule.cap_minor)
    return taken


def _draw(
    line: OrderedLine, rules: list[Rule], *, merchant_id: str, currency: str, at: datetime
) -> LineTerms:
    """Let the rules that match a line compete for it."""
    rivals = [
        rule
        for rule in rules
        if rule.matches(merchant_id=merchant_id, category=line.category, currency=currency, at=at)
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
    drawn: list[LineTerms], rules: Mapping[str, Rule], shipping_minor: int
) -> tuple[Group, ...]:
    goods: dict[str | None, int] = {}
    counts: dict[str | None, int] = {}
    for line in drawn:
        goods[line.rule_id] = goods.get(line.rule_id, 0) + line.amount_minor
        counts[line.rule_id] = counts.get(line.rule_id, 0) + 1
    weights = list(goods.values()) if sum(goods.values()) else list(counts.values())
    shipping = allocate(shipping_minor, weights)
    return tuple(
        _group(rules[rule_id] if rule_id else None, goods_minor, part)
        for (rule_id, goods_minor), part in zip(goods.items(), shipping, strict=True)
    )


def _group(rule: Rule | None, goods_minor: int, shipping_minor: int) -> Group:
    if rule is None:
        return Group(None, goods_minor, shipping_minor, 0, 0, 0)
    with_shipping = rule.base is CommissionBase.GOODS_AND_SHIPPING
    base_minor = goods_minor + (shipping_minor if with_shipping else 0)
    return Group(
        rule,
        goods_minor,
        shipping_minor,
        base_minor,
        share_half_up(base_minor, rule.rate_bps),
        commission(rule, base_minor),
    )


def _limit(groups: tuple[Group, ...], limit_minor: int) -> tuple[Group, ...]:
    """Cut commissions in proportion to what they came to, when together they exceed the limit."""
    wanted = [group.commission_minor for group in groups]
    if sum(wanted) <= limit_minor:
        return groups
    return tuple(
        Group(
            group.rule,
            group.goods_minor,
            group.shipping_minor,
            group.base_minor,
            group.percent_minor,
            part,
        )
        for group, part in zip(groups, allocate(limit_minor, wanted), strict=True)
    )


def _plain(value: Any) -> Any:
    """Turn tuples into lists and instants into ISO 8601; str enums and ints are JSON already."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _refuse_fractions(value: Any) -> None:
    if isinstance(value, float):
        raise TermsUnreadable("These terms are damaged: an amount is not a whole number.")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            _refuse_fractions(each)


def _read_line(written: Mapping[str, Any]) -> LineTerms:
    passed_over = tuple(
        PassedOver(**{**each, "reason": LossReason(each["reason"])})
        for each in written["passed_over"]
    )
    return LineTerms(**{**written, "passed_over": passed_over})


def _read_group(written: Mapping[str, Any]) -> Group:
    rule = None if written["rule"] is None else _read_rule(written["rule"])
    return Group(**{**written, "rule": rule})


def _read_rule(written: Mapping[str, Any]) -> Rule:
    ends = written["effective_to"]
    return Rule(
        **{
            **written,
            "base": CommissionBase(written["base"]),
            "effective_from": datetime.fromisoformat(written["effective_from"]),
            "effective_to": None if ends is None else datetime.fromisoformat(ends),
        }
    )
