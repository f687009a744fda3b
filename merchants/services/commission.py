"""Commission plans and their rules.

A rule is added and ended, never edited; an order never looks at a rule again once it has its terms.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from common.errors import DomainError
from common.money import BPS
from ledger.usecases import use_case
from merchants import rules, selectors
from merchants.models import BaseChoice, CommissionPlan, CommissionRule, Merchant, Platform
from merchants.refund_policy import REFUND_FIELDS
from merchants.services.checks import check_row, violates
from merchants.services.parties import NewPartyShare, named_shares

MAX_TIERS = 10


class CommissionPlanTaken(DomainError):
    """The platform has a plan in force already."""

    code = "commission_plan_taken"


class CommissionRuleInvalid(DomainError):
    code = "commission_rule_invalid"
    status = 422


class ChannelFeeInvalid(DomainError):
    """The channel's fee is not a part of the service fee, or a part of no fee is kept."""

    code = "channel_fee_invalid"
    status = 422


class CommissionTiersInvalid(DomainError):
    """The tiers of a rule do not rise, or are too many."""

    code = "commission_tiers_invalid"
    status = 422


class CommissionRuleOverlap(DomainError):
    """Another rule of equal rank would match the same lines at the same time."""

    code = "commission_rule_overlap"


def create_plan(
    *,
    platform: Platform,
    name: str,
    at: datetime,
    active: bool = True,
    commission_returned_bps: int = BPS,
    service_fee_returned_bps: int = BPS,
    party_returned_bps: int = BPS,
    channel_fee_bps: int = 0,
    channel_fee_returned_bps: int = BPS,
    guarantee_days: int | None = None,
    reserve_bps: int = 0,
    reserve_days: int = 0,
) -> CommissionPlan:
    """Start a list of commission rules for a platform.

    Args: …_returned_bps: 0 to 10000, of each cut, to the seller, when an order is refunded.
        channel_fee_bps: of an order, what its payment channel keeps; at most the service fee.
        guarantee_days: after which the platform pays sellers' debts; None: never.
        reserve_…: held back of sellers' releases, 1 to 10000, for 1 to 365 days; both 0: nothing.
    Raises: CommissionPlanTaken, CommissionRuleInvalid, ChannelFeeInvalid.
    """
    plan = CommissionPlan(
        platform=platform,
        name=name,
        active=active,
        commission_returned_bps=commission_returned_bps,
        service_fee_returned_bps=service_fee_returned_bps,
        party_returned_bps=party_returned_bps,
        channel_fee_bps=channel_fee_bps,
        channel_fee_returned_bps=channel_fee_returned_bps,
        guarantee_days=guarantee_days,
        reserve_bps=reserve_bps,
        reserve_days=reserve_days,
        activated_at=at if active else None,
        created_at=at,
    )
    check_refund_policy(plan, platform=platform)
    try:
        with use_case():
            plan.save(force_insert=True)
    except IntegrityError as error:
        if violates(error, "commission_plan_one_active"):
            raise CommissionPlanTaken(
                "This platform has a commission plan in force already.", platform=platform.pk
            ) from None
        raise
    return plan


@use_case()
def set_refund_policy(
    *,
    plan_id: str,
    commission_returned_bps: int,
    service_fee_returned_bps: int,
    party_returned_bps: int,
    at: datetime,
    channel_fee_bps: int | None = None,
    channel_fee_returned_bps: int | None = None,
) -> CommissionPlan:
    """Change what sellers get back of the cuts when an order created from now on is refunded.

    Args: each 0 to 10000 basis points: 10000 returned whole, 0 kept. channel_fee_bps: of an order,
        what its payment channel keeps, at most the service fee. channel_fee_…: None: as it is.
        at: not kept; the audit row says when, and orders created before keep what they froze.
    Raises: CommissionRuleInvalid, ChannelFeeInvalid. Locks: the plan.
    """
    plan = lock_plan(plan_id)
    plan.commission_returned_bps = commission_returned_bps
    plan.service_fee_returned_bps = service_fee_returned_bps
    plan.party_returned_bps = party_returned_bps
    if channel_fee_bps is not None:
        plan.channel_fee_bps = channel_fee_bps
    if channel_fee_returned_bps is not None:
        plan.channel_fee_returned_bps = channel_fee_returned_bps
    check_refund_policy(plan, platform=plan.platform)
    plan.save(update_fields=REFUND_FIELDS)
    return plan


def check_refund_policy(plan: CommissionPlan, *, platform: Platform) -> None:
    """Refuse a plan whose refund policy makes no sense, in words.

    Raises: CommissionRuleInvalid, ChannelFeeInvalid.
    """
    fee_bps, returned_bps = plan.channel_fee_bps, plan.channel_fee_returned_bps
    if fee_bps == 0 and 0 <= returned_bps < BPS:
        raise ChannelFeeInvalid(
            "Nothing of the channel's fee can be kept while it is 0: say what the channel keeps.",
            fields=["channel_fee_bps"],
        )
    if platform.service_fee_bps < fee_bps <= BPS:
        raise ChannelFeeInvalid(
            "The channel's fee is a part of the service fee: at most "
            f"{platform.service_fee_bps} basis points.",
            fields=["channel_fee_bps"],
            service_fee_bps=platform.service_fee_bps,
        )
    check_row(plan, CommissionRuleInvalid)


@use_case()
def add_rule(
    *,
    plan: CommissionPlan,
    currency: str,
    rate_bps: int,
    effective_from: datetime,
    at: datetime,
    priority: int = 0,
    merchant: Merchant | None = None,
    category: str = "",
    fixed_minor: int = 0,
    floor_minor: int | None = None,
    cap_minor: int | None = None,
    base: str = BaseChoice.GOODS,
    tax_bps: int = 0,
    parties: Sequence[NewPartyShare] = (),
    tiers: Sequence[rules.Tier] = (),
    channel: str = "",
    min_order_minor: int | None = None,
    max_order_minor: int | None = None,
    effective_to: datetime | None = None,
) -> CommissionRule:
    """Add a rule to a plan. It counts for orders created from `effective_from` on.

    Args: rate_bps: 0 to 10000. fixed_minor, floor_minor, cap_minor: minor units of `currency`, per
        order and rule. merchant, category, channel: None and "" match any. tax_bps: of the
        commission. tiers: rising. min_order_minor, max_order_minor: of goods and shipping, both
        included; None: no bound.
    Raises: CommissionRuleInvalid, CommissionRuleOverlap, CommissionTiersInvalid,
        PartyShareInvalid, UnknownCurrency.
    Locks: the plan, so that of two rules at once the second one sees the first.
    """
    lock_plan(plan.pk)
    if merchant is not None and merchant.platform_id != plan.platform_id:
        raise CommissionRuleInvalid(
            "This seller is not a seller of the plan's platform.", fields=["merchant"]
        )
    rule = CommissionRule(
        plan=plan,
        priority=priority,
        merchant=merchant,
        category=category,
        currency=currency,
        rate_bps=rate_bps,
        fixed_minor=fixed_minor,
        floor_minor=floor_minor,
        cap_minor=cap_minor,
        base=base,
        tax_bps=tax_bps,
        parties=named_shares(platform_id=plan.platform_id, wanted=parties),
        tiers=write_tiers(tiers),
        channel=channel,
        min_order_minor=min_order_minor,
        max_order_minor=max_order_minor,
        effective_from=effective_from,
        effective_to=effective_to,
        created_at=at,
    )
    _write(rule)
    return rule


@use_case()
def end_rule(*, rule_id: str, effective_to: datetime, at: datetime) -> CommissionRule:
    """End a rule. Orders created before keep their frozen terms; a rule not begun yet is withdrawn.

    Args: effective_to: not before `at` nor after the present end.
    Raises: CommissionRuleInvalid. Locks: the plan.
    """
    rule = _lock_rule(rule_id)
    _end(rule, effective_to, at=at)
    return rule


@use_case()
def replace_rule(
    *,
    rule_id: str,
    effective_from: datetime,
    rate_bps: int,
    at: datetime,
    fixed_minor: int = 0,
    floor_minor: int | None = None,
    cap_minor: int | None = None,
    base: str = BaseChoice.GOODS,
    tax_bps: int = 0,
    parties: Sequence[NewPartyShare] = (),
    tiers: Sequence[rules.Tier] = (),
    effective_to: datetime | None = None,
) -> CommissionRule:
    """End a rule and start its next version at the same instant: other numbers, the same sales.

    Priority, seller, category, channel, order amounts and currency stay; every other value is the
    new one's own.

    Args: as `add_rule`. effective_from: not before `at`, and before the rule's present end.
    Returns: the new version.
    Raises: CommissionRuleInvalid, CommissionRuleOverlap, CommissionTiersInvalid,
        PartyShareInvalid. Locks: the plan.
    """
    if effective_from < at:
        raise CommissionRuleInvalid(
            "A rule cannot be replaced in the past.", fields=["effective_from"]
        )
    old = _lock_rule(rule_id)
    if old.effective_to is not None and old.effective_to <= effective_from:
        raise CommissionRuleInvalid(
            "This rule has ended by then; add another one.", fields=["effective_from"]
        )
    _end(old, effective_from, at=at)
    rule = CommissionRule(
        plan_id=old.plan_id,
        priority=old.priority,
        merchant_id=old.merchant_id,
        category=old.category,
        currency=old.currency,
        rate_bps=rate_bps,
        fixed_minor=fixed_minor,
        floor_minor=floor_minor,
        cap_minor=cap_minor,
        base=base,
        tax_bps=tax_bps,
        parties=named_shares(platform_id=old.plan.platform_id, wanted=parties),
        tiers=write_tiers(tiers),
        channel=old.channel,
        min_order_minor=old.min_order_minor,
        max_order_minor=old.max_order_minor,
        effective_from=effective_from,
        effective_to=effective_to,
        created_at=at,
    )
    _write(rule)
    return rule


def lock_plan(plan_id: str) -> CommissionPlan:
    """Let one writer at a time change a plan's rules; step of every use case that does."""
    return CommissionPlan.objects.select_for_update(of=("self",), no_key=True).get(pk=plan_id)


def _lock_rule(rule_id: str) -> CommissionRule:
    """Read a rule under the lock of its plan."""
    rule = CommissionRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise CommissionRuleInvalid(f"There is no commission rule {rule_id!r}.", rule=rule_id)
    lock_plan(rule.plan_id)
    rule.refresh_from_db()
    return rule


def _end(rule: CommissionRule, effective_to: datetime, *, at: datetime) -> None:
    if effective_to < at:
        raise CommissionRuleInvalid("A rule cannot end in the past.", fields=["effective_to"])
    if rule.effective_to is not None and rule.effective_to < effective_to:
        raise CommissionRuleInvalid("This rule ends earlier already.", fields=["effective_to"])
    rule.effective_to = max(effective_to, rule.effective_from)
    rule.save(update_fields=["effective_to"])


def write_tiers(wanted: Sequence[rules.Tier]) -> list[dict[str, int]]:
    """Check that tiers rise, and write them as `CommissionRule.tiers` keeps them.

    Raises: CommissionTiersInvalid.
    """
    starts = [tier.from_minor for tier in wanted]
    if len(wanted) > MAX_TIERS or starts != sorted(set(starts)):
        raise CommissionTiersInvalid(
            f"A rule has at most {MAX_TIERS} tiers, each starting above the one before.",
            fields=["tiers"],
        )
    return [asdict(tier) for tier in wanted]


def _write(rule: CommissionRule) -> None:
    """Write a new rule; the caller has locked the plan."""
    check_row(rule, CommissionRuleInvalid)
    _refuse_overlap(rule)
    rule.save(force_insert=True)


def _refuse_overlap(rule: CommissionRule) -> None:
    """Refuse a tie; the plan is locked. A rule withdrawn before it began ties with none."""
    if rule.effective_to == rule.effective_from:
        return
    rivals = CommissionRule.objects.filter(
        Q(effective_to__isnull=True)
        | Q(effective_to__gt=Greatest(F("effective_from"), Value(rule.effective_from))),
        plan=rule.plan,
        currency=rule.currency,
        priority=rule.priority,
        merchant=rule.merchant,
        category=rule.category,
        channel=rule.channel,
    ).order_by("id")
    wanted = selectors.snapshot(rule)
    rival = next((each for each in rivals if rules.ties(selectors.snapshot(each), wanted)), None)
    if rival is not None:
        raise CommissionRuleOverlap(
            f"Rule {rival.id} already decides such lines at that time with priority "
            f"{rule.priority}; end it first or choose another priority.",
            rule=rival.id,
        )
