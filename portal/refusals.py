"""What is refused, said to a person: a sentence in the reader's language that says what to do.

A code without a sentence here shows the refusal's own words, in English.
"""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError

Result = TypeVar("Result")

SENTENCES: dict[str, str | Promise] = {
    "busy": _("Somebody is changing this at the moment. Try again in a few seconds."),
    "order_state_conflict": _("The order has moved on since you looked. See where it stands now."),
    "shipping_deadline_passed": _("The time to ship is over. The buyer gets the money back."),
    "parcel_invalid": _("Give carrier and tracking number, each once, up to 64 characters."),
    "parcel_known": _("The order has this parcel already."),
    "too_many_parcels": _("An order has 15 parcels at most."),
    "parcel_corrected_already": _("This parcel was corrected before; that can be done once."),
    "parcel_not_found": _("The order has no such parcel."),
    "extended_already": _("The time was extended before; that can be done once."),
    "extension_invalid": _("Choose 1 to 15 days."),
    "hold_frozen": _("The money is frozen. Nothing can be moved until that has ended."),
    "refund_invalid": _("There is nothing left to refund of what you chose."),
    "refund_too_large": _("That is more than is left of it."),
    "refund_not_covered": _(
        "Those who were paid cannot cover this refund now. Nothing was refunded; try later."
    ),
    "refund_seen_otherwise": _("The money has changed since you looked. Nothing was refunded."),
    "upload_too_large": _("The file is too large. It may have 1 MB."),
    "upload_unreadable": _("This is no CSV or XLSX file that can be read. Save it again as one."),
    "upload_without_columns": _(
        "The first row must name the columns: reference, carrier, tracking number."
    ),
    "upload_too_long": _("A file may have 2,000 rows. Split it."),
    "upload_empty": _("The file has no rows below the names of its columns."),
    "too_many_jobs": _("Ten things you asked for are not done yet. Wait for one of them."),
    "job_state_conflict": _("This was confirmed before. Look at its page for how far it is."),
    "too_many_views": _("You keep 20 views already. Drop one first."),
    "bank_account_invalid": _(
        "This is no account that can be paid. A number has 6 to 34 digits or letters."
    ),
    "bank_account_decided": _("This change does not wait any more. See which account is in force."),
    "currency_unknown": _("We do not know this currency. Use its three letters, such as CNY."),
    "channel_disabled": _("This way to pay cannot be used here. Choose another."),
    "payment_deadline_passed": _("The time to pay is over."),
    "act_stale": _("Something has happened since this page was opened. Look again, then decide."),
    "clock_paused": _("The time to confirm stands still at the moment."),
    "hold_closed": _("The money of this order is not held any more."),
    "confirmation_deadline_passed": _("The time to confirm is over: the order counts as received."),
    "dispute_open_already": _("There is an open dispute already. Go on with that one."),
    "dispute_decided_already": _("The dispute of this order was decided. That is final."),
    "too_many_disputes": _("This order was disputed and withdrawn too often."),
    "dispute_state_conflict": _("The dispute has moved on: this cannot be done any more."),
    "dispute_deadline_passed": _("The time for this is over."),
    "offer_invalid": _("Offer more than nothing, and at most what the buyer asks for."),
    "return_parcel_invalid": _("Name the carrier and the number of the parcel."),
    "evidence_too_large": _("The file is too large: 5 MB at most."),
    "evidence_type_refused": _(
        "Only pictures (JPEG, PNG, WEBP), PDF and plain text are taken, by their content."
    ),
    "amount_out_of_range": _("This amount is too large."),
    "commission_rule_invalid": _("A value of the rule is not possible. Check its numbers."),
    "commission_rule_overlap": _(
        "Another rule is for the same sales with the same priority. Change one of the two."
    ),
    "commission_tiers_invalid": _("Tiers start above each other: the lowest first, ten at most."),
    "party_share_invalid": _("A rule names each further party once, and ten at most."),
    "party_invalid": _("Give a reference and a name."),
    "party_reference_taken": _("You have a party of this reference already."),
    "plan_not_draft": _("This plan is no draft any more. To change it, begin a new draft from it."),
    "plan_seen_otherwise": _(
        "The draft or the plan in force has changed since you looked. Look again, then decide."
    ),
    "fee_terms_loosened": _(
        "Less of the service fee would be kept of refunds than is agreed. Ask the operator."
    ),
    "channel_fee_invalid": _(
        "This is a part of the service fee, so it cannot be more; of none nothing can be kept."
    ),
    "reserve_invalid": _("Hold back something for some days, or 0 for 0 days."),
    "reserve_below_required": _("The operator requires more to be held back, or for longer."),
    "sale_invalid": _("This sale makes no sense: give a seller of yours and an amount."),
    "people_owners_only": _("Only an owner decides about people."),
    "person_not_found": _("There is no such person here any more."),
    "person_invalid": _("Check name, role, language and time zone."),
    "last_owner": _("There must be another owner first: give somebody else that role."),
    "own_account": _("You cannot switch yourself off. Another owner can."),
    "person_here": _("Whoever has this address is one of your people already."),
    "invited_already": _("This address is invited already. Send that invitation again."),
    "invitation_invalid": _("Check address, role and language."),
    "invitation_limit": _("That is too many. Withdraw an invitation, or wait until one is used."),
    "invitation_closed": _("This invitation is not open any more."),
    "mail_kind_invalid": _("These mails cannot be chosen."),
    "person_elsewhere": _(
        "You have an account at another seller or shop with this address. One address belongs to"
        " one of them: ask for an invitation to another address."
    ),
    "logo_refused": _(
        "Only PNG and WEBP pictures that do not move are taken, 16 to 1024 pixels each way and 256"
        " KB at most."
    ),
    "too_much_evidence": _("Each side may show ten files; yours are all there."),
}


def sentence(refusal: DomainError) -> str:
    """Say a refusal to a person."""
    return str(SENTENCES.get(refusal.code, refusal))


def attempt(
    request: HttpRequest, deed: Callable[[], Result], *, done: str | Promise
) -> Result | None:
    """Do one thing for a person and leave a sentence for the next page.

    Returns: what the deed returned; None when it was refused, and then nothing has changed.
    """
    try:
        result = deed()
    except DomainError as refusal:
        messages.error(request, sentence(refusal))
        return None
    messages.success(request, str(done))
    return result
