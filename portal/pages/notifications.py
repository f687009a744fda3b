"""Which mails somebody wants, and what was sent lately to them and to the contact address.

It must never show a mail's words: links in it are for its reader alone.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from notifications import selectors
from notifications import services as notifications
from notifications.kinds import KINDS, kinds_for
from notifications.models import Audience, Delivery, DeliveryState, MailKind
from portal.access import Member, PortalRequest, member_page
from portal.lists import page_of
from portal.refusals import attempt

TYPES: dict[str, str | Promise] = {
    "order.paid": _("Order paid"),
    "order.ship_reminder": _("Reminder to ship"),
    "order.ship_extended": _("More time to ship"),
    "order.confirm_extended": _("More time to confirm receipt"),
    "order.canceled": _("Order canceled"),
    "debit_request.created": _("Request to pay"),
    "debit_request.reminder": _("Reminder to pay"),
    "debit_request.withdrawn": _("Request to pay withdrawn"),
    "dispute.opened": _("Dispute opened"),
    "dispute.return_awaited": _("Return agreed"),
    "dispute.sent_back": _("Goods sent back"),
    "dispute.resolved": _("Dispute resolved"),
    "dispute.withdrawn": _("Dispute withdrawn"),
    "payout.paid": _("Payout paid"),
    "payout.failed": _("Payout failed"),
    "payout.returned": _("Payout came back"),
    "bank_account.waiting": _("New bank account, not in force yet"),
    "bank_account.in_force": _("New bank account in force"),
    "bank_account.canceled": _("New bank account canceled"),
    "webhook_endpoint.disabled": _("Webhook switched off"),
}
SUBJECTS = (
    "order_reference",
    "payout",
    "payment_reference",
    "endpoint",
    "last_four",
)  # facts, by importance
# The fact that stands in the address of a page.
PAGES = {"order": "portal:order", "payout": "portal:payout"}
LONG = 24  # characters of what a mail is about; ids of ours are longer
CONTACT = "contact"  # ?to=


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of mails on the page. `always`: it cannot be switched off."""

    kind: str
    label: str | Promise
    always: bool
    wanted: bool


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def show_notifications(request: PortalRequest) -> HttpResponse:
    """Show the choices and what was sent, and keep what somebody chooses."""
    member = request.member
    if request.method == "POST":
        attempt(
            request,
            lambda: notifications.choose_mails(
                user=member.user, wanted=request.POST.getlist("wanted"), at=timezone.now()
            ),
            done=_("Saved. It holds for mails from now on."),
        )
        return redirect("portal:notifications")
    contact = _contact(member)
    choices = _choices(member, contact)
    to_contact = request.GET.get("to") == CONTACT
    return render(
        request,
        "portal/pages/notifications.html",
        {
            "choices": [each for each in choices if not each.always],
            "always": [each for each in choices if each.always],
            "contact": contact,
            "same": contact.lower() == member.user.email.lower(),
            "to_contact": to_contact,
            "listing": page_of(
                request,
                selectors.list_mails(
                    platform_id=member.platform.pk,
                    merchant_id=member.merchant.pk if member.merchant else None,
                    recipient=contact if to_contact else member.user.email,
                ),
                by="public_id",
                prepare=lambda rows: [_row(each) for each in rows],
            ),
        },
    )


def _contact(member: Member) -> str:
    return member.merchant.email if member.merchant else member.platform.contact_email


def _choices(member: Member, contact: str) -> list[Choice]:
    """The kinds that this person can be told; what is always sent only to fitting roles."""
    audience = Audience.SELLER if member.is_seller else Audience.PLATFORM
    chosen = selectors.mail_choices_of(user=member.user)
    # Who reads the contact address is told everything until they say otherwise.
    usual = bool(contact) and contact.lower() == member.user.email.lower()
    return [
        Choice(kind, MailKind(kind).label, KINDS[kind].always, chosen.get(kind, usual))
        for kind in kinds_for(audience)
        if not KINDS[kind].always or member.user.role in KINDS[kind].roles
    ]


def _row(delivery: Delivery) -> dict[str, Any]:
    facts = delivery.event.data
    again = delivery.state == DeliveryState.PENDING and delivery.tries > 0
    about = next((facts[name] for name in SUBJECTS if facts.get(name)), "")
    urls = (reverse(page, args=[facts[name]]) for name, page in PAGES.items() if facts.get(name))
    return {
        "delivery": delivery,
        "label": TYPES.get(delivery.event.type, delivery.event.type),
        "about": f"…{about[-8:]}" if len(about) > LONG else about,
        "url": next(urls, ""),
        "again": again,
    }
