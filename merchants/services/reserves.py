"""How much of a seller's releases is held back, and for how long, where the seller has no word of
its own, and at least. It must never touch money."""

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


class ReserveBelowRequired(DomainError):
    """Less would be held back than the operator requires, or for fewer days."""

    code = "reserve_below_required"


@use_case()
def set_plan_reserve(
    *,
    plan_id: str,
    reserve_bps: int,
    reserve_days: int,
    at: datetime,
    required_reserve_bps: int | None = None,
    required_reserve_days: int | None = None,
) -> CommissionPlan:
    """Say what of each release is held back of sellers that have no word of their own, and what is
    held back at least. An operator's act.

    Money: none; orders created before keep what they froze.
    Args: reserve_…: both 0: nothing. required_…: neither the platform nor a seller's own word goes
        below; both 0: nothing is required; None: as it is. at: not kept; the audit row says when.
    Raises: ReserveInvalid, also of a plan that has ended. Locks: the plan.
    """
    plan = lock_plan(plan_id)
    if plan.ended_at is not None:
        raise ReserveInvalid("This plan has ended: set the reserve on the one in force.")
    plan.reserve_bps, plan.reserve_days = reserve_bps, reserve_days
    if required_reserve_bps is not None:
        plan.required_reserve_bps = required_reserve_bps
    if required_reserve_days is not None:
        plan.required_reserve_days = required_reserve_days
    check_row(plan, ReserveInvalid)
    plan.save(
        update_fields=[
            "reserve_bps",
            "reserve_days",
            "required_reserve_bps",
            "required_reserve_days",
        ]
    )
    return plan


def refuse_below_required(
    plan: CommissionPlan | None, *, reserve: tuple[int | None, int | None]
) -> None:
    """Refuse a reserve below what the operator requires on the plan.

    Args: reserve: basis points and days; None: nothing is said. Raises: ReserveBelowRequired.
    """
    bps, days = reserve
    if plan is None or bps is None or days is None:
        return
    if bps < plan.required_reserve_bps or days < plan.required_reserve_days:
        raise ReserveBelowRequired(
            f"The operator requires a reserve of at least {plan.required_reserve_bps} basis points "
            f"for {plan.required_reserve_days} days.",
            required_reserve_bps=plan.required_reserve_bps,
            required_reserve_days=plan.required_reserve_days,
        )
