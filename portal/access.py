"""Who looks at a page of the portal, whose rows that person sees, and what the person may do.

It must never show a row of another seller or platform, nor tell a foreign one from a missing one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any
from zoneinfo import ZoneInfo

import pghistory
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from escrow import selectors as escrow
from escrow.models import Debt, Dispute
from merchants import clocks
from merchants import selectors as merchants
from merchants.models import (
    BankAccount,
    CommissionPlan,
    Invitation,
    Merchant,
    Mode,
    Platform,
    Role,
    User,
)
from orders import selectors as orders
from orders.models import Order
from payouts import selectors as payouts
from payouts.models import Payout, Settlement
from portal.models import Job, SavedView

SIDE = "portal-side"  # in the session: "TEST" while platform staff look at the test side


class Power(StrEnum):
    """What somebody may do beyond reading."""

    SHIP = "ship"  # parcels, more time to ship
    DISPUTE = "dispute"  # answer disputes, refund
    MONEY = "money"  # bank accounts, statements on demand
    PEOPLE = "people"  # invite, change roles, switch off
    SETUP = "setup"  # commission, keys, webhooks, branding, the test clock


POWERS: dict[str, frozenset[Power]] = {
    Role.OWNER: frozenset(Power),
    Role.FINANCE: frozenset({Power.MONEY}),
    Role.SUPPORT: frozenset({Power.SHIP, Power.DISPUTE}),
    Role.VIEWER: frozenset(),
}


@dataclass(frozen=True)
class Member:
    """A signed-in person of a seller or a shopping platform, and the rows that are theirs.

    `merchant` is None for platform staff, who see all sellers of `platform`.
    """

    user: User
    platform: Platform
    merchant: Merchant | None

    @property
    def is_seller(self) -> bool:
        return self.merchant is not None

    @property
    def kind(self) -> str:
        return "seller" if self.is_seller else "platform"

    @property
    def is_test(self) -> bool:
        return self.platform.mode == Mode.TEST

    @property
    def name(self) -> str:
        return self.merchant.name if self.merchant else self.platform.name

    @property
    def has_two_sides(self) -> bool:
        """Whether platform staff can look at live and at test data."""
        own = self.user.platform
        return self.merchant is None and own is not None and hasattr(own, "test_platform")

    @property
    def initials(self) -> str:
        words = (self.user.get_full_name() or self.user.username).split()
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def at(self) -> datetime:
        """Now, on the platform's own clock."""
        return clocks.now_of(self.platform, now=timezone.now())

    @property
    def zone(self) -> ZoneInfo:
        own = self.user.time_zone or (self.merchant.time_zone if self.merchant else "")
        return ZoneInfo(own or self.platform.time_zone)

    def may(self, power: Power) -> bool:
        return power in POWERS[self.user.role]

    @property
    def powers(self) -> dict[str, bool]:
        """For templates: `{% if member.powers.ship %}`."""
        return {power.value: self.may(power) for power in Power}

    def orders(self) -> QuerySet[Order]:
        """With their sellers."""
        return self._own(orders.orders_of(platform_id=self.platform.pk), "merchant")

    def disputes(self) -> QuerySet[Dispute]:
        """With order, steps, lines and files."""
        return self._own(escrow.disputes_of(platform_id=self.platform.pk), "order__merchant")

    def payouts(self) -> QuerySet[Payout]:
        return self._own(payouts.payouts_of(platform_id=self.platform.pk), "merchant")

    def settlements(self) -> QuerySet[Settlement]:
        """Statements."""
        return self._own(payouts.settlements_of(platform_id=self.platform.pk), "merchant")

    def debts(self) -> QuerySet[Debt]:
        """A platform sees its own debts and those of its sellers and further parties."""
        return self._own(escrow.debts_of(platform_id=self.platform.pk), "merchant")

    def accounts(self) -> QuerySet[BankAccount]:
        """A platform sees its own accounts and those of its sellers and further parties."""
        return self._own(merchants.bank_accounts_of(platform_id=self.platform.pk), "merchant")

    def plans(self) -> QuerySet[CommissionPlan]:
        """The platform's commission plans; a seller sees the one in force alone."""
        plans = CommissionPlan.objects.filter(platform=self.platform)
        return plans.filter(active=True) if self.merchant else plans

    def jobs(self) -> QuerySet[Job]:
        """Long work of the same seller, or of the platform itself, whoever asked for it."""
        return Job.objects.filter(platform=self.platform, merchant=self.merchant)

    def people(self) -> QuerySet[User]:
        """Everybody of the same seller, or of the platform itself, on both of its sides."""
        return merchants.people_of(self.user)

    def invitations(self) -> QuerySet[Invitation]:
        """Those to the same seller or platform."""
        return merchants.invitations_of(self.user)

    def views(self, page: str) -> QuerySet[SavedView]:
        """The person's own saved views of a list, by name."""
        return SavedView.objects.filter(user=self.user, page=page).order_by("name")

    def _own(self, rows: QuerySet[Any], merchant: str) -> QuerySet[Any]:
        return rows.filter(**{merchant: self.merchant}) if self.merchant else rows


class PortalRequest(HttpRequest):
    """What a page of the portal is handed."""

    member: Member


Page = Callable[..., HttpResponse]


def member_page(*, power: Power | None = None, of: str = "any") -> Callable[[Page], Page]:
    """Open a page to signed-in members only.

    Args: power: without it the page is refused. of: `any`, `seller` or `platform`; for anybody
        else there is no such page.
    """

    def open_to(page: Page) -> Page:
        @wraps(page)
        def opened(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            member = find_member(request)
            if member is None or of not in ("any", member.kind):
                raise Http404
            if power is not None and not member.may(power):
                raise PermissionDenied
            request.member = member
            actor = f"{member.kind}:{member.user.pk}"
            with timezone.override(member.zone), pghistory.context(actor=actor):
                return page(request, *args, **kwargs)

        return login_required(opened)

    return open_to


def member_of(job: Job) -> Member:
    """For whom a worker does a job: it may read what that person may, and no more."""
    return Member(job.user, job.platform, job.merchant)


def find_member(request: HttpRequest) -> Member | None:
    """Say for whom somebody signed in looks; None for operators."""
    user = request.user
    assert isinstance(user, User)
    if user.merchant_id is not None:
        merchant = Merchant.objects.select_related("platform").get(pk=user.merchant_id)
        return Member(user, merchant.platform, merchant)
    if user.platform_id is None:
        return None
    platform = Platform.objects.select_related("test_platform").get(pk=user.platform_id)
    user.platform = platform
    if request.session.get(SIDE) == Mode.TEST and hasattr(platform, "test_platform"):
        platform = platform.test_platform
    return Member(user, platform, None)
