"""The rolling reserve: what is held back of whom until when, and what was taken of it."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from escrow.models import ReserveSlice, ReserveState
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
    related_filter,
    state_badge,
    state_column,
)

TONES: dict[str, str] = {
    ReserveState.HELD: "warning",
    ReserveState.FREED: "success",
    ReserveState.TAKEN: "danger",
}


class ReserveSliceAdmin(ShownAdmin):
    list_display = [
        column(_("Slice"), lambda kept: panels.mono(f"rsv_…{kept.pk[-8:]}"), name="id"),
        column(_("Merchant"), lambda kept: kept.merchant.name, name="merchant"),
        state_column(TONES),
        amount_column(_("Held back at first")),
        amount_column(_("Left"), name="open_minor"),
        instant_column(_("Freed from"), name="due_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        related_filter("platform", _("Platform")),
        dates_filter("due_at", _("Freed from")),
    ]
    list_select_related = ["platform", "merchant"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(release_id=term) | Q(merchant_id=term) | Q(release__hold__order=term)

    def heading(self, kept: ReserveSlice) -> dict[str, Any]:
        return {
            "kind": _("Rolling reserve"),
            "name": kept.merchant.name,
            "amount": panels.money(kept.open_minor, kept.currency),
            "state": state_badge(kept, TONES),
        }

    def panels(self, request: Any, kept: ReserveSlice) -> list[Any]:
        taken = list(kept.takings.order_by("taken_at", "id"))
        of_takings = books.entries_of([each.entry_id for each in taken])
        entries = [
            *books.entries_of([kept.release.entry_id]),
            *of_takings,
            *books.subject_entries(kept.pk),
        ]
        return [
            _takings(kept, taken),
            panels.journal(entries),
            _facts(kept),
            audit_steps(kept, labels=dict(ReserveState.choices)),
        ]


def _takings(kept: ReserveSlice, taken: list[Any]) -> panels.Table:
    return panels.Table(
        title=_("What was taken of it"),
        headings=[_("When"), _("Refund"), _("Dispute"), _("Amount")],
        numbers=[3],
        rows=[
            [
                panels.instant(each.taken_at),
                panels.link("escrow_refund", each.refund_id, each.refund_id),
                panels.link("escrow_dispute", each.dispute_id, each.dispute_id),
                panels.money(each.amount_minor, kept.currency),
            ]
            for each in taken
        ],
        total=[_("Total"), "", "", panels.money(kept.taken_minor, kept.currency)],
        empty=_("Nothing yet."),
    )


def _facts(kept: ReserveSlice) -> panels.Facts:
    order_id = kept.release.hold.order_id
    return panels.Facts(
        title=_("Rolling reserve"),
        facts=[
            (_("Id"), panels.mono(kept.pk)),
            (_("Merchant"), kept.merchant.name),
            (_("Platform"), kept.platform.name),
            (_("Order"), panels.link("orders_order", order_id, order_id)),
            (_("Release"), panels.mono(kept.release_id)),
            (_("Held back at first"), panels.money(kept.amount_minor, kept.currency)),
            (_("Left"), panels.money(kept.open_minor, kept.currency)),
            (_("Held back since"), panels.instant(kept.held_at)),
            (_("Freed from"), panels.instant(kept.due_at)),
            (_("Closed"), panels.instant(kept.closed_at)),
        ],
        side=True,
    )
