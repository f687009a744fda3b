"""What a platform itself may change about its plan, for orders to come.

It must never loosen what protects the operator, nor touch an order: orders keep what they froze.
"""

from datetime import datetime
from typing import TypedDict

from django.db import connection

from common.errors import DomainError
from merchants.models import CommissionPlan
from merchants.refund_policy import REFUND_FIELDS, RefundPolicy
from merchants.services.checks import check_row
from merchants.services.commission import CommissionRuleInvalid, check_refund_policy, lock_plan
from merchants.services.reserves import ReserveInvalid, refuse_below_required


class FeeTermsLoosened(DomainError):
    """Less of our service fee would be kept of a refunded order; only operators agree to that."""

    code = "fee_terms_loosened"


class PlanChanges(TypedDict, total=False):
    """What changes about a plan; what is left out stays. Basis points, and days."""

    name: str
    commission_returned_bps: int
    service_fee_returned_bps: int
    party_returned_bps: int
    channel_fee_bps: int
    channel_fee_returned_bps: int
    guarantee_days: int | None  # None: no guarantee
    reserve_bps: int
    reserve_days: int


def revise_plan(
    *, plan_id: str, changes: PlanChanges, at: datetime
) -> tuple[CommissionPlan, list[str]]:
    """Step: change a plan as its platform asks, for orders to come.

    Commission, parties and guarantee are the platform's own. Of our service fee it may have more
    kept, never less than is agreed; the reserve never goes below what the operator requires.

    Money: none. Args: at: not kept; the audit row says when.
    Returns: the plan, and the names of what is different now.
    Raises: FeeTermsLoosened, ReserveBelowRequired, ReserveInvalid, CommissionRuleInvalid,
        ChannelFeeInvalid.
    Idempotent: the same values again change nothing. Locks: the plan.
    """
    assert connection.in_atomic_block
    plan = lock_plan(plan_id)
    agreed = plan.refund_policy
    changed = [name for name, value in changes.items() if value != getattr(plan, name)]
    if not changed:
        return plan, []
    for name in changed:
        setattr(plan, name, changes[name])  # type: ignore[literal-required]
    if {"reserve_bps", "reserve_days"} & set(changed):
        refuse_below_required(plan, reserve=(plan.reserve_bps, plan.reserve_days))
        if (plan.reserve_bps == 0) != (plan.reserve_days == 0):
            raise ReserveInvalid("Hold back something for some days, or 0 for 0.")
    if set(REFUND_FIELDS) & set(changed):
        check_refund_policy(plan, platform=plan.platform)
        refuse_loosened_fee(plan, agreed)
    check_row(plan, CommissionRuleInvalid)
    plan.save(update_fields=changed)
    return plan, sorted(changed)


def refuse_loosened_fee(plan: CommissionPlan, agreed: RefundPolicy) -> None:
    """Refuse a plan that keeps less of our fee than is agreed. Raises: FeeTermsLoosened."""
    fee_bps = plan.platform.service_fee_bps
    if plan.refund_policy.kept_of_fee(fee_bps) < agreed.kept_of_fee(fee_bps):
        raise FeeTermsLoosened(
            "Less of the service fee would be kept of a refunded order than is agreed: ask the "
            "operator to change that.",
            service_fee_returned_bps=agreed.service_fee_returned_bps,
            channel_fee_bps=agreed.channel_fee_bps,
            channel_fee_returned_bps=agreed.channel_fee_returned_bps,
        )
