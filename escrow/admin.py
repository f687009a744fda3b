"""The operators' view of held, released and refunded money. It only shows: the line moves it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from escrow import receipts
from escrow.admin_corrections import CorrectionAdmin
from escrow.admin_debts import DebtAdmin
from escrow.admin_disputes import DisputeAdmin
from escrow.admin_remittances import RemittanceAdmin, list_channels
from escrow.admin_reserves import ReserveSliceAdmin
from escrow.admin_routes import RoutedAdmin, routes
from escrow.models import (
    Correction,
    Debt,
    Dispute,
    Hold,
    HoldState,
    Refund,
    RefundState,
    Release,
    Remittance,
    ReserveSlice,
    Surplus,
)
from ledger import admin_panels as panels
from ledger import selectors as books
from merchants.admin_show import (
    ShownAdmin,
    amount_column,
    audit_steps,
    choices_filter,
    column,
    dates_filter,
    instant_column,
    named_filter,
    related_filter,
    state_badge,
    state_column,
)
from orders.models import Order

HOLD_TONES: dict[str, str] = {
    HoldState.HELD: "info",
    HoldState.FROZEN: "warning",
    HoldState.RELEASED: "success",
    HoldState.REFUNDED: "danger",
}
REFUND_TONES: dict[str, str] = {
    RefundState.PENDING: "default",
    RefundState.SUBMITTED: "info",
    RefundState.SUCCEEDED: "success",
    RefundState.FAILED: "danger",
    RefundState.UNKNOWN: "warning",
}


def _order_link(order: Order) -> Any:
    return panels.link("orders_order", order.pk, order.reference)


admin.site.register(Correction, CorrectionAdmin)
admin.site.register(Debt, DebtAdmin)
admin.site.register(Dispute, DisputeAdmin)
admin.site.register(Remittance, RemittanceAdmin)
admin.site.register(ReserveSlice, ReserveSliceAdmin)


@admin.register(Hold)
class HoldAdmin(ShownAdmin):
    list_display = [
        column(_("Order"), lambda hold: hold.order.reference, name="order"),
        column(_("Seller"), lambda hold: hold.order.merchant.name, name="merchant"),
        state_column(HOLD_TONES),
        amount_column(_("Taken from the buyer")),
        amount_column(_("Held"), name="remaining_minor"),
        instant_column(_("Held since"), name="held_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        related_filter("order__platform", _("Platform")),
        dates_filter("held_at", _("Held since")),
    ]
    list_select_related = ["order__merchant"]
    actions_detail = ["freeze"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(order_id=term)

    def has_freeze_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer it only where it makes sense; the page it leads to decides whether it stands."""
        if not request.user.has_perm("escrow.add_freeze"):
            return False
        if object_id is None or request.method == "POST":
            return True
        held = Hold.objects.filter(pk=object_id, state__in=[HoldState.HELD, HoldState.FROZEN])
        return held.exists()

    @action(description=_("Freeze"), permissions=["freeze"], icon="lock")
    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        hold = get_object_or_404(Hold, pk=object_id)
        page = reverse("admin:escrow_freeze_freeze_order")
        return HttpResponseRedirect(f"{page}?{urlencode({'order_id': hold.order_id})}")

    def heading(self, hold: Hold) -> dict[str, Any]:
        return {
            "kind": _("Hold"),
            "name": hold.order.reference,
            "amount": panels.money(hold.remaining_minor, hold.currency),
            "state": state_badge(hold, HOLD_TONES),
        }

    def panels(self, request: HttpRequest, hold: Hold) -> list[Any]:
        shares = panels.Table(
            title=_("Who gets how much"),
            headings=[_("Payee"), _("Account"), _("Amount")],
            numbers=[2],
            rows=[
                [
                    share.get_payee_display(),
                    panels.link("ledger_account", share.account_id, share.address),
                    panels.money(share.amount_minor, hold.currency),
                ]
                for share in hold.shares.order_by("leg")
            ],
            total=[_("Total"), "", panels.money(hold.amount_minor, hold.currency)],
        )
        return [
            shares,
            _releases(hold),
            refunds(hold.refunds.order_by("id")),
            panels.journal(books.subject_entries(hold.order_id)),
            _hold_facts(hold),
            audit_steps(hold, labels=dict(HoldState.choices)),
        ]


def _hold_facts(hold: Hold) -> panels.Facts:
    return panels.Facts(
        title=_("Hold"),
        facts=[
            (_("Id"), panels.mono(hold.pk)),
            (_("Order"), _order_link(hold.order)),
            (_("Payment"), panels.link("orders_payment", hold.payment_id, hold.payment_id)),
            (_("Taken from the buyer"), panels.money(hold.amount_minor, hold.currency)),
            (_("Released"), panels.money(hold.released_minor, hold.currency)),
            (_("Refunded"), panels.money(hold.refunded_minor, hold.currency)),
            (_("Still held"), panels.money(hold.remaining_minor, hold.currency)),
            (_("Held since"), panels.instant(hold.held_at)),
            (_("Closed"), panels.instant(hold.closed_at)),
        ],
        side=True,
    )


def _releases(hold: Hold) -> panels.Table:
    return panels.Table(
        title=_("Releases"),
        headings=[_("Release"), _("Confirmed by"), _("Released at"), _("Amount")],
        numbers=[3],
        rows=[
            [
                panels.link("escrow_release", release.pk, release.pk),
                release.get_confirmed_by_display(),
                panels.instant(release.released_at),
                panels.money(release.amount_minor, release.currency),
            ]
            for release in hold.releases.order_by("id")
        ],
    )


def refunds(rows: Any) -> panels.Table:
    """Lay out refunds of one order."""
    return panels.Table(
        title=_("Refunds"),
        headings=[_("Refund"), _("Reason"), _("State"), _("Amount")],
        numbers=[3],
        rows=[
            [
                panels.link("escrow_refund", refund.pk, refund.pk),
                refund.reason,
                state_badge(refund, REFUND_TONES),
                panels.money(refund.amount_minor, refund.currency),
            ]
            for refund in rows
        ],
    )


@admin.register(Release)
class ReleaseAdmin(ShownAdmin):
    list_display = [
        column(_("Order"), lambda release: release.hold.order.reference, name="order"),
        column(_("Seller"), lambda release: release.hold.order.merchant.name, name="merchant"),
        column(
            _("Confirmed by"),
            lambda release: release.get_confirmed_by_display(),
            name="confirmed_by",
        ),
        amount_column(),
        instant_column(_("Released at"), name="released_at"),
    ]
    list_filter = [
        choices_filter("confirmed_by", _("Confirmed by")),
        related_filter("hold__order__platform", _("Platform")),
        dates_filter("released_at", _("Released at")),
    ]
    list_select_related = ["hold__order__merchant"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(hold__order_id=term)

    def get_urls(self) -> list[Any]:
        here = self.admin_site.admin_view(self.receipt)
        return [
            path("<path:release_id>/receipt.json", here, name="escrow_release_receipt"),
            *super().get_urls(),
        ]

    def receipt(self, request: HttpRequest, release_id: str) -> HttpResponse:
        """The signed receipt, as the API answers it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        release = get_object_or_404(Release, pk=release_id)
        name = f'attachment; filename="receipt-{release.pk}.json"'
        return HttpResponse(
            receipts.make_receipt(release),
            content_type="application/json",
            headers={"Content-Disposition": name, "Cache-Control": "no-store"},
        )

    def heading(self, release: Release) -> dict[str, Any]:
        return {
            "kind": _("Release"),
            "name": release.hold.order.reference,
            "amount": panels.money(release.amount_minor, release.currency),
        }

    def panels(self, request: HttpRequest, release: Release) -> list[Any]:
        lines = panels.Table(
            title=_("Split"),
            headings=[_("Payee"), _("Account"), _("Settlement"), _("Amount")],
            numbers=[3],
            rows=[
                [
                    line.get_payee_display(),
                    panels.mono(line.address),
                    panels.link("payouts_settlement", line.settlement_id, line.settlement_id),
                    panels.money(line.amount_minor, line.currency),
                ]
                for line in release.lines.order_by("id")
            ],
            total=[_("Total"), "", "", panels.money(release.amount_minor, release.currency)],
        )
        facts = panels.Facts(
            title=_("Release"),
            facts=[
                (_("Id"), panels.mono(release.pk)),
                (_("Order"), _order_link(release.hold.order)),
                (_("Hold"), panels.link("escrow_hold", release.hold_id, release.hold_id)),
                (_("Entry"), _entry(release.entry_id)),
                (_("Confirmed by"), release.get_confirmed_by_display()),
                (_("Released at"), panels.instant(release.released_at)),
                (_("Receipt"), receipt_link(release.pk)),
            ],
            side=True,
        )
        return [lines, panels.journal(books.subject_entries(release.hold.order_id)), facts]


def receipt_link(release_id: str) -> SafeString:
    """Link to the download of a release's signed receipt."""
    address = reverse("admin:escrow_release_receipt", args=(release_id,))
    return format_html('<a class="hf-link" href="{}" download>{}</a>', address, _("Signed receipt"))


def _entry(entry_id: int | None) -> Any:
    return panels.link("ledger_journalentry", entry_id, f"#{entry_id}")


@admin.register(Refund)
class RefundAdmin(RoutedAdmin):
    list_display = [
        column(_("Refund"), lambda refund: panels.mono(refund.pk), name="id"),
        column(_("Channel"), lambda refund: refund.channel, name="channel"),
        column(_("Reason"), lambda refund: refund.reason, name="reason"),
        state_column(REFUND_TONES),
        amount_column(),
        instant_column(_("Created"), name="created_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        named_filter("channel", _("Channel"), list_channels),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Created")),
    ]

    def heading(self, refund: Refund) -> dict[str, Any]:
        return {
            "kind": _("Refund"),
            "name": f"ref_…{refund.pk[-8:]}",
            "amount": panels.money(refund.amount_minor, refund.currency),
            "state": state_badge(refund, REFUND_TONES),
        }

    def panels(self, request: HttpRequest, refund: Refund) -> list[Any]:
        source = refund.hold or refund.surplus
        assert source is not None, "the database holds it to be one of the two"
        facts = panels.Facts(
            title=_("Refund"),
            facts=[
                (_("Id"), panels.mono(refund.pk)),
                (_("Order"), _order_link(source.order)),
                (_("Payment"), panels.link("orders_payment", refund.payment_id, refund.payment_id)),
                (_("Out of"), _("the hold") if refund.hold_id else _("surplus money")),
                (_("Reason"), refund.reason),
                (_("Channel"), refund.channel),
                (_("Their reference"), panels.mono(refund.provider_reference)),
                (_("Created"), panels.instant(refund.created_at)),
                (_("Refunded at"), panels.instant(refund.succeeded_at)),
                (_("Asked next"), panels.instant(refund.due_at)),
                (_("Attempts"), refund.attempts),
                (_("Failure"), refund.failure_code or panels.NOTHING),
            ],
        )
        entries = books.entries_of([refund.asked_entry_id, refund.done_entry_id])
        return [
            facts,
            *routes(refund),
            panels.journal(entries),
            audit_steps(refund, labels=dict(RefundState.choices)),
        ]


@admin.register(Surplus)
class SurplusAdmin(ShownAdmin):
    list_display = [
        column(_("Surplus"), lambda surplus: panels.mono(surplus.pk), name="id"),
        column(_("Order"), lambda surplus: surplus.order.reference, name="order"),
        column(_("Reason"), lambda surplus: surplus.get_reason_display(), name="reason"),
        amount_column(),
        instant_column(_("Received at"), name="received_at"),
    ]
    list_filter = [
        choices_filter("reason", _("Reason")),
        related_filter("order__platform", _("Platform")),
        dates_filter("received_at", _("Received at")),
    ]
    list_select_related = ["order"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(order_id=term)

    def heading(self, surplus: Surplus) -> dict[str, Any]:
        return {
            "kind": _("Surplus"),
            "name": surplus.order.reference,
            "amount": panels.money(surplus.amount_minor, surplus.currency),
        }

    def panels(self, request: HttpRequest, surplus: Surplus) -> list[Any]:
        facts = panels.Facts(
            title=_("Surplus"),
            facts=[
                (_("Id"), panels.mono(surplus.pk)),
                (_("Order"), _order_link(surplus.order)),
                (
                    _("Payment"),
                    panels.link("orders_payment", surplus.payment_id, surplus.payment_id),
                ),
                (_("Reason"), surplus.get_reason_display()),
                (_("Their reference"), panels.mono(surplus.provider_reference)),
                (_("Received at"), panels.instant(surplus.received_at)),
            ],
            side=True,
        )
        back = refunds(Refund.objects.filter(surplus=surplus))
        return [back, panels.journal(books.subject_entries(surplus.pk)), facts]
