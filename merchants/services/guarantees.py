"""A platform's word that it pays what its sellers cannot give back."""

from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.guarantee_policy import MAX_GUARANTEE_DAYS
from merchants.models import CommissionPlan


class GuaranteeInvalid(DomainError):
    """A guarantee begins 0 to 365 days after a debt was made, yet never before the seller's term to
    pay is over."""

    code = "guarantee_invalid"
    status = 422


@use_case()
def set_guarantee(*, plan_id: str, days: int | None, at: datetime) -> CommissionPlan:
    """Say after how many days the platform's commission pays a seller's debt, or that it never
    does. The seller is asked first: it begins when the seller's term to pay is over, not before.

    Money: none; orders created before keep what they froze.
    Args: days: 0 to 365; None: no guarantee. at: not kept; the audit row says when.
    Raises: GuaranteeInvalid. Locks: the plan.
    """
    if days is not None and not 0 <= days <= MAX_GUARANTEE_DAYS:
        raise GuaranteeInvalid(f"Send 0 to {MAX_GUARANTEE_DAYS} days, or null.", field="days")
    plan = CommissionPlan.objects.select_for_update().get(pk=plan_id)
    plan.guarantee_days = days
    plan.save(update_fields=["guarantee_days"])
    return plan
