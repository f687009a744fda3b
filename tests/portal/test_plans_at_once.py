"""Why: two people may bring two drafts into force at once; each has seen the same plan before."""

import threading

from django.db import connection, transaction

from common.errors import DomainError
from merchants.models import CommissionPlan
from merchants.services.drafts import mark_of
from orders.services.plans import bring_plan_into_force
from tests.portal.test_plans import draft_of, in_force
from tests.world import START, World


def test_of_two_drafts_at_once_one_comes_into_force_and_the_other_is_looked_at_again(
    world: World,
) -> None:
    old = in_force(world)
    drafts = [draft_of(world, name=name) for name in ("One", "Two")]
    seen = {draft.pk: mark_of(draft, old, at=START) for draft in drafts}
    said: list[str] = []

    def bring(plan_id: str) -> None:
        try:
            bring_plan_into_force(plan_id=plan_id, seen=seen[plan_id], at=START)
            said.append("in force")
        except DomainError as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    people = [threading.Thread(target=bring, args=(draft.pk,)) for draft in drafts]
    with transaction.atomic():
        CommissionPlan.objects.select_for_update().get(pk=old.pk)  # both have begun by its end
        for person in people:
            person.start()
    for person in people:
        person.join(timeout=30)

    assert sorted(said) == ["in force", "plan_seen_otherwise"]
    assert in_force(world) in drafts
