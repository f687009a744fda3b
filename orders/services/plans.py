"""A platform's change of its plan, or of which one is in force, told to its endpoints; orders to
come are priced by it.

It must never decide what may be changed (`merchants/services/plan_terms.py` does), nor move what
an order froze.
"""

from datetime import datetime

from ledger.usecases import use_case
from merchants.models import CommissionPlan
from merchants.services.drafts import replace_plan
from merchants.services.plan_terms import PlanChanges, revise_plan
from notifications import services as notifications


@use_case()
def change_plan(*, plan_id: str, changes: PlanChanges, at: datetime) -> CommissionPlan:
    """Change a plan's refund policy, guarantee or reserve as its platform asks.

    Money: none; orders created before keep what they froze.
    Raises: FeeTermsLoosened, ReserveBelowRequired, ReserveInvalid, CommissionRuleInvalid,
        ChannelFeeInvalid.
    Idempotent: the same values again change and tell nothing. Locks: the plan.
    """
    plan, changed = revise_plan(plan_id=plan_id, changes=changes, at=at)
    if changed:
        _tell(plan, changed, at=at)
    return plan


@use_case()
def bring_plan_into_force(*, plan_id: str, seen: str, at: datetime) -> CommissionPlan:
    """Let a draft price orders created from now on, in place of the plan in force.

    Money: none; orders created before keep what they froze.
    Args: seen: what `merchants.services.drafts.mark_of` said of both when the person looked.
    Raises: PlanNotDraft, PlanSeenOtherwise, FeeTermsLoosened, ReserveBelowRequired,
        ChannelFeeInvalid, CommissionRuleInvalid.
    Idempotent: a second time it is no draft any more, and refused. Locks: both plans, by id.
    """
    plan, replaced = replace_plan(plan_id=plan_id, seen=seen, at=at)
    for each in filter(None, (replaced, plan)):
        _tell(each, ["active"], at=at)
    return plan


def _tell(plan: CommissionPlan, changed: list[str], *, at: datetime) -> None:
    plan.event_sequence += 1
    plan.save(update_fields=["event_sequence"])
    notifications.record_event(
        type="commission_plan.changed",
        platform_id=plan.platform_id,
        subject_id=plan.pk,
        sequence=plan.event_sequence,
        data={"commission_plan": plan.pk, "changed": changed},
        at=at,
    )
