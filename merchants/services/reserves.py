"""How much of a seller's releases is held back, and for how long, where the seller has no word of
its own. It must never touch money."""

from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import CommissionPlan
from merchants.services.checks import check_row
from merchants.services.commission import lock_plan


class ReserveInvalid(DomainError):
    """A reserve is 1 to 10000 basis points for 1 to 365 days; none is 0 for 0."""

    code = "reserve_invalid"
    status = 422


@use_case()
def set_plan_reserve(
    *, plan_id: str, reserve_bps: int, reserve_days: int, at: datetime
) -> CommissionPlan:
    """Say what of each release is held back of sellers that have no word of their own.

    Money: none; orders created before keep what they froze.
    Args: both 0: nothing. at: not kept; the audit row says when.
    Raises: ReserveInvalid. Locks: the plan.
    """
    plan = lock_plan(plan_id)
    plan.reserve_bps, plan.reserve_days = reserve_bps, reserve_days
    check_row(plan, ReserveInvalid)
    plan.save(update_fields=["reserve_bps", "reserve_days"])
    return plan
