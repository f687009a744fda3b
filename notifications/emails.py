"""Which event is told to whom by e-mail, and in what words (templates/notifications/<language>/).

It must never decide anything about an order: a mail only repeats the facts of its event.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from common.money import Money
from merchants import branding, selectors
from merchants.models import Language, Merchant
from notifications import buyer_links, colors, recipients
from notifications.models import Audience, Channel, Delivery, DeliveryState, Event

# event type -> who is told. `order.canceled` is told only of orders that had been paid, and not
# when the end of a dispute tells of it.
MAILS: Mapping[str, tuple[Audience, ...]] = {
    "order.paid": (Audience.SELLER,),
    "order.ship_reminder": (Audience.SELLER,),
    "order.ship_extended": (Audience.SELLER, Audience.BUYER),
    "order.confirm_reminder": (Audience.BUYER,),
    "order.confirm_extended": (Audience.SELLER, Audience.BUYER),
    "order.canceled": (Audience.SELLER, Audience.BUYER),
    "debit_request.created": (Audience.SELLER,),
    "debit_request.reminder": (Audience.SELLER,),
    "debit_request.withdrawn": (Audience.SELLER,),
    "dispute.opened": (Audience.SELLER, Audience.BUYER),
    "dispute.answered": (Audience.BUYER,),
    "dispute.return_awaited": (Audience.SELLER, Audience.BUYER),
    "dispute.sent_back": (Audience.SELLER,),
    "dispute.resolved": (Audience.SELLER, Audience.BUYER),
    "dispute.withdrawn": (Audience.SELLER,),
    "payout.paid": (Audience.SELLER,),
    "payout.failed": (Audience.SELLER,),
    "payout.returned": (Audience.SELLER,),
    "bank_account.waiting": (Audience.SELLER, Audience.PLATFORM),
    "bank_account.in_force": (Audience.SELLER, Audience.PLATFORM),
    "bank_account.canceled": (Audience.SELLER, Audience.PLATFORM),
    "webhook_endpoint.disabled": (Audience.PLATFORM,),
    "invitation.sent": (Audience.INVITED,),
}
# Mails that ask the buyer to do something bring the link to do it with, and no others.
ASKING = frozenset(
    (
        "order.confirm_reminder",
        "order.confirm_extended",
        "dispute.opened",
        "dispute.answered",
        "dispute.return_awaited",
    )
)
FOLDERS = {Language.ENGLISH.value: "en", Language.CHINESE.value: "zh_Hans"}
INSTANTS = ("ship_by", "confirm_by", "due_at", "failing_since", "effective_at", "expires_at")
# Whoever could read the mails of a payee's contact until lately is told too: a thief changes the
# address first.
TOLD_AT_OLD_ADDRESSES = ("bank_account.waiting", "bank_account.in_force", "bank_account.canceled")
LATELY = timedelta(days=30)
TOLD_BY_DISPUTES = ("DISPUTE", "CHARGEBACK")  # values of orders.models.CancelReason
LONGEST_ADDRESS = 254
OUR_COLOR = "#4f39f6"  # of frontend/portal.css


def list_deliveries(events: Sequence[Event], at: datetime) -> list[Delivery]:
    """List the e-mails these events give rise to; events with `platform` loaded.

    An address nobody can send to becomes a delivery that has FAILED already, so that people see it.
    """
    told = [event for event in events if _is_told(event)]
    if not told:
        return []
    houses = recipients.load_houses(
        merchant_ids={_merchant_of(event) for event in told} - {""},
        platforms=[event.platform for event in told if Audience.PLATFORM in MAILS[event.type]],
    )
    return [
        _delivery(event, audience, address, language, at=at)
        for event in told
        for audience in MAILS[event.type]
        for address, language in _addressees(event, audience, houses, at=at)
    ]


def send(delivery: Delivery) -> None:
    """Compose and send one e-mail. Raises whatever the mail server makes of it."""
    compose(delivery).send()


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """Put an event into words for its recipient: a plain text, and the same as simple HTML.

    The Message-ID is the delivery's own, so that a mail sent twice after a crash shows once.
    """
    event = delivery.event
    name = f"{event.type.replace('.', '_')}_{delivery.audience.lower()}.txt"
    folder = FOLDERS.get(delivery.language, "en")
    with translation.override(delivery.language):
        shop = branding.shown_to_buyers(event.platform)
        text = render_to_string(f"notifications/{folder}/{name}", _words(delivery, shop))
        subject, _, body = text.strip().partition("\n")
        body, link = body.strip() + "\n", _link(delivery)
        html = render_to_string(
            "notifications/mail.html",
            {
                "subject": subject,
                "body": body,
                "link": link,
                "invited": delivery.audience == Audience.INVITED,
                "language": delivery.language,
                "color": colors.light_shades(shop.accent).brand if shop.accent else OUR_COLOR,
                "whom": _whom_to_ask(delivery, shop),
                "contacts": shop.contacts,
            },
        )
        body += f"\n{link}\n" if link else ""
        if whom := _whom_to_ask(delivery, shop):
            body += f"\n{whom} {', '.join(shop.contacts)}\n"
    mail = EmailMultiAlternatives(
        subject,
        body,
        to=[delivery.recipient],
        headers={
            "Message-ID": f"<{event.public_id}.{delivery.pk}@{_sender_domain()}>",
            "Auto-Submitted": "auto-generated",  # Source: RFC 3834, section 5
        },
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _whom_to_ask(delivery: Delivery, shop: branding.Shown) -> str:
    """How a buyer is told whom to ask; nothing when the shop does not say, or to anybody else."""
    if delivery.audience != Audience.BUYER or not shop.contacts:
        return ""
    return _("Questions about your purchase? Ask %(name)s:") % {"name": shop.name}


def _link(delivery: Delivery) -> str:
    """The buyer's own link to the order, where there is something to do, or the link to join; else
    nothing. The same however often the mail is composed."""
    event = delivery.event
    if delivery.audience == Audience.INVITED:
        path = buyer_links.invitation_path(event.data["invitation"], event.data["round"])
        until = datetime.fromisoformat(event.data["expires_at"])
        return buyer_links.signed_url(path, until=until)
    asked = delivery.audience == Audience.BUYER and event.type in ASKING
    if not asked or event.data.get("kind") == "CHARGEBACK":
        return ""
    until = delivery.created_at + buyer_links.LIFETIME
    return buyer_links.order_url(event.data["order"], until=until)


def _is_told(event: Event) -> bool:
    if event.type not in MAILS:
        return False
    if event.type != "order.canceled":
        return True
    return event.data["ship_by"] is not None and event.data["reason"] not in TOLD_BY_DISPUTES


def _merchant_of(event: Event) -> str:
    """The id of the seller an event is about; empty when it is about somebody else.

    Raises: KeyError where sellers are told and the fact is missing: the relay notes our mistake.
    """
    if Audience.SELLER in MAILS[event.type]:
        return event.data["merchant"] or ""
    return event.data.get("merchant") or ""


def _addressees(
    event: Event, audience: Audience, houses: recipients.Houses, *, at: datetime
) -> list[recipients.Addressee]:
    """Who is told, and whoever had the address of the contact until lately."""
    merchant = houses.merchants.get(_merchant_of(event))
    if audience == Audience.PLATFORM and Audience.SELLER in MAILS[event.type] and merchant:
        return []  # the seller is told
    told = recipients.addressees(event, audience, houses)
    if event.type not in TOLD_AT_OLD_ADDRESSES or (audience == Audience.SELLER and not merchant):
        return told
    contact = merchant or event.platform
    former = selectors.list_former_addresses(contact, since=at - LATELY)
    known = {address.lower() for address, _language in told}
    return told + [(each, contact.language) for each in former if each.lower() not in known]


def _delivery(
    event: Event, audience: Audience, recipient: str, language: str, *, at: datetime
) -> Delivery:
    refused = _refuse_address(recipient)
    return Delivery(
        platform_id=event.platform_id,
        event=event,
        channel=Channel.EMAIL,
        recipient=recipient.replace("\x00", "")[:LONGEST_ADDRESS],
        audience=audience,
        language=language if language in FOLDERS else Language.ENGLISH,
        state=DeliveryState.FAILED if refused else DeliveryState.PENDING,
        last_error=refused,
        created_at=at,
        next_attempt_at=at,
    )


def _refuse_address(recipient: str) -> str:
    try:
        validate_email(recipient)
    except ValidationError:
        return "This is not an e-mail address."
    return "This address is too long." if len(recipient) > LONGEST_ADDRESS else ""


def _words(delivery: Delivery, shop: branding.Shown) -> dict[str, Any]:
    """The facts of an event as people read them: dates in the reader's time zone, on one line.

    Buyers know the platform as the shop it shows them; everybody else by its own name.
    """
    event = delivery.event
    facts = event.data
    merchant = Merchant.objects.filter(pk=_merchant_of(event)).first()
    zone = _zone_of(delivery, merchant)
    instants = {name: _local(facts[name], zone) for name in INSTANTS if facts.get(name)}
    to_buyer = delivery.audience == Audience.BUYER
    words = {
        **facts,
        **instants,
        **_amounts(facts),
        "merchant_name": merchant.name if merchant else "",
        "platform_name": shop.name if to_buyer else shop.company or shop.name,
    }
    return {name: _one_line(value) for name, value in words.items()}


def _amounts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Each amount as people read it: `amount_minor` as `amount`."""
    return {
        name.removesuffix("_minor"): str(Money(value, facts["currency"]))
        for name, value in facts.items()
        if name.endswith("_minor") and value is not None
    }


def _zone_of(delivery: Delivery, merchant: Merchant | None) -> ZoneInfo:
    """The time zone of who reads it: their own when it is known, else the platform's."""
    event, own = delivery.event, ""
    if delivery.audience == Audience.BUYER:
        own = event.data.get("buyer_time_zone", "")
    else:
        person = recipients.find_person(delivery)
        own = (person.time_zone if person else "") or (merchant.time_zone if merchant else "")
    return ZoneInfo(own or event.platform.time_zone)


def _one_line(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return [_one_line(each) for each in value]
    return value


def _local(written: str, zone: ZoneInfo) -> str:
    local = timezone.localtime(datetime.fromisoformat(written), zone)
    return f"{local:%Y-%m-%d %H:%M} ({zone.key})"


def _sender_domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
