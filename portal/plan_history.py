"""Who changed a commission plan and when, from its audit rows.

It must never show who an operator is: to a platform that is only the operator.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from merchants import plan_audits
from merchants.models import Platform, User

MOST = 60  # audit rows that are read of each kind


@dataclass(frozen=True, slots=True)
class Step:
    """What one person did at once, as `<c-steps>` shows it."""

    title: str
    at: datetime
    note: str
    tone: str = "done"


def steps_of(plan_id: str, platform: Platform) -> list[Step]:
    """Tell the newest changes of a plan, newest first. What was written together is one step."""
    plans = list(plan_audits.plan_audits([plan_id])[:MOST])
    rules = list(plan_audits.rule_audits([plan_id])[:MOST])
    said = [
        (row, _plan_title(row, before))
        for row, before in zip(plans, [*plans[1:], None], strict=True)
    ]
    said += [(row, row.pgh_label) for row in rules]
    said.sort(key=lambda each: each[0].pgh_created_at, reverse=True)
    names = _names([row for row, _title in said], platform)
    steps = []
    for at, found in groupby(said, key=lambda each: each[0].pgh_created_at):
        together = list(found)
        title = _title([title for _row, title in together])
        steps.append(Step(title, at, names[_actor(together[0][0])]))
    return steps


def latest_of(plan_ids: Collection[str], platform: Platform) -> dict[str, tuple[datetime, str]]:
    """When each plan was changed last, and by whom."""
    newest = plan_audits.latest_of(plan_ids)
    names = _names(newest.values(), platform)
    return {plan_id: (row.pgh_created_at, names[_actor(row)]) for plan_id, row in newest.items()}


def _actor(row: Any) -> str:
    return str((row.pgh_context or {}).get("actor", ""))


def _names(rows: Iterable[Any], platform: Platform) -> dict[str, str]:
    """Actors as a person of the platform knows them; an API key speaks for the whole platform."""
    named: dict[str, str] = {}
    people: dict[int, str] = {}
    for actor in {_actor(row) for row in rows}:
        kind, _colon, key = actor.partition(":")
        named[actor] = "" if not actor else _("the operator")
        if kind == "platform":
            named[actor] = _("over the API")
            if key.isdecimal():
                people[int(key)] = actor
    sides = {platform.pk, platform.live_platform_id}
    for user in User.objects.filter(platform_id__in=sides, pk__in=people) if people else ():
        named[people[user.pk]] = user.get_full_name() or user.username
    return named


def _plan_title(row: Any, before: Any) -> str:
    if before is None:
        return _("Begun")
    if row.active and not before.active:
        return _("Brought into force")
    if row.ended_at is not None and before.ended_at is None:
        return _("Replaced by another plan") if before.active else _("Dropped")
    return _("Terms changed")


def _title(titles: Sequence[str]) -> str:
    """The plan's own changes, then how many rules were added and ended (`insert` and `update`)."""
    counted = Counter(titles)
    added, ended = counted.pop("insert", 0), counted.pop("update", 0)
    changed = min(added, ended)  # a rule is changed by ending it and adding another one
    added, ended = added - changed, ended - changed
    parts = list(counted)
    if changed:
        parts.append(
            ngettext("%(count)d rule changed", "%(count)d rules changed", changed)
            % {"count": changed}
        )
    if added:
        parts.append(
            ngettext("%(count)d rule added", "%(count)d rules added", added) % {"count": added}
        )
    if ended:
        parts.append(
            ngettext("%(count)d rule ended", "%(count)d rules ended", ended) % {"count": ended}
        )
    return _(", ").join(parts)
