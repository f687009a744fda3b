"""What somebody has to do, the most urgent first. It must never count further than it shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from escrow.models import DebitRequest, DebitRequestState, DebtState, HoldState, WaitsFor
from merchants.models import BankAccountState
from merchants.selectors import Requirement, onboarding_of
from orders.models import OrderState
from payouts.models import PayoutState
from portal.access import Member
from portal.at_once import Part, Question, Rows, read_at_once

COUNTED = 100  # more than these are said as `100+`
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the list. `due`: the earliest date, if there is one."""

    title: str | Promise
    count: str
    url: str
    icon: str
    tone: str
    due: datetime | None = None


def tasks_of(member: Member) -> list[Task]:
    """List what waits for the reader, by due date; what has none comes last."""
    asked = read_at_once([*_orders(member), *_money(member)])
    found = [task for task in asked if task is not None]
    if member.is_seller:
        found += _missing(member)
    far = datetime.max.replace(tzinfo=member.at.tzinfo)
    return sorted(found, key=lambda task: task.due or far)


def _orders(member: Member) -> Iterator[Part]:
    orders = reverse("portal:orders")
    to_ship = member.orders().filter(state=OrderState.PAID, hold__state=HoldState.HELD)
    yield _task(to_ship, "ship_by", _("Orders to ship"), f"{orders}?state=to-ship", "truck", member)
    disputes = member.disputes().filter(waits_for=WaitsFor.MERCHANT)
    yield _task(
        disputes,
        "due_at",
        _("Disputes that wait for an answer"),
        f"{reverse('portal:disputes')}?state=seller",
        "gavel",
        member,
    )


def _money(member: Member) -> Iterator[Part]:
    returned = member.payouts().filter(
        state__in=[PayoutState.RETURNED, PayoutState.FAILED], created_at__gte=member.at - LATELY
    )
    yield _task(
        returned, None, _("Payouts that did not arrive"), reverse("portal:payouts"), "banknote",
        member,
    )  # fmt: skip
    changed = member.accounts().filter(
        merchant=member.merchant, party=None, state=BankAccountState.WAITING
    )
    yield _task(
        changed, "effective_at", _("A changed bank account waits"), reverse("portal:accounts"),
        "landmark", member,
    )  # fmt: skip
    if member.merchant is None:
        return
    asked = DebitRequest.objects.filter(
        debt__merchant=member.merchant, debt__state=DebtState.OPEN, state=DebitRequestState.OPEN
    )
    yield _task(asked, "due_at", _("Amounts you owe"), reverse("portal:debts"), "scale", member)


def _missing(member: Member) -> Iterator[Task]:
    assert member.merchant is not None
    titles = {
        Requirement.EMAIL: _("Your e-mail address is missing"),
        Requirement.BANK_ACCOUNT: _("A bank account to be paid out to is missing"),
    }
    for requirement in onboarding_of(member.merchant).missing:
        if requirement in titles:
            page = "accounts" if requirement == Requirement.BANK_ACCOUNT else "payouts"
            url = reverse(f"portal:{page}")
            yield Task(titles[requirement], "", url, "triangle-alert", "danger")


def _task(
    rows: QuerySet[Any], due: str | None, title: str, url: str, icon: str, member: Member
) -> Part:
    """One line for all of these rows; none when there are none."""

    def show(answers: Sequence[Rows]) -> Task | None:
        [found] = answers
        if not found:
            return None
        count = f"{COUNTED}+" if len(found) == COUNTED else str(len(found))
        first = datetime.fromisoformat(found[0][0]) if due else None
        late = first is not None and first - member.at < timedelta(days=1)
        return Task(title, count, url, icon, "danger" if late else "warning", first)

    order = [due, "pk"] if due else ["-pk"]
    first_ones = rows.prefetch_related(None).order_by(*order)[:COUNTED]
    return Part([Question(first_ones, (due,) if due else ())], show)
