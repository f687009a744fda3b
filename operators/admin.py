"""The order page of the operators: the order itself, and what the later stations made of it; and
other pages that need what their own app may not know."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from api import status
from escrow.admin import receipt_link, refunds
from escrow.models import Payee, Release
from ledger import admin_panels as panels
from merchants.admin_pages import ReadOnlyAdmin
from merchants.admin_show import amount_column, column, instant_column
from merchants.models import BankAccount, Proposal
from operators import admin_accounts, admin_proposals
from orders.admin import OrderAdmin
from orders.models import Order
from payouts.admin_rows import payouts as payouts_table
from payouts.models import Payout
from portal.states import LINE_TONES, LINES, STATUSES, TONES
from portal.timeline import order_steps

admin.site.unregister(Order)
admin.site.unregister(Group)
admin.site.register(Proposal, admin_proposals.ProposalAdmin)
admin.site.register(BankAccount, admin_accounts.BankAccountAdmin)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The roles of operators, which the migrations write (operators/roles.py)."""

    list_display = ["name"]
    fields = ["name", "permissions"]
    search_fields = ["name"]


@admin.register(Order)
class OrderPage(OrderAdmin):
    list_display = [
        *OrderAdmin.list_display[:3],
        column(_("State"), lambda order: status_badge(order.composed), name="composed"),
        amount_column(),
        instant_column(_("Created"), name="created_at"),
    ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        orders = list(changelist.result_list)
        found = status.statuses(orders)
        for order in orders:
            order.composed = found[order.pk]
        changelist.result_list = orders
        return changelist

    def panels(self, request: HttpRequest, order: Order) -> list[Any]:
        picture = status.picture(order)
        settled = {line.settlement for line in picture.split if line.settlement}
        sellers = {
            line.settlement
            for line in picture.split
            if line.settlement and line.payee != Payee.PLATFORM
        }
        found = list(Payout.objects.filter(settlement_id__in=settled).order_by("created_at", "id"))
        commission, journal, *others = super().panels(request, order)
        steps = order_steps(
            picture, payouts=[payout for payout in found if payout.settlement_id in sellers]
        )
        return [
            panels.Steps(_("What happened"), steps),
            split_table(picture),
            commission,
            journal,
            *([payouts_table(found)] if found else []),
            *receipts_of(order),
            *([refunds(picture.refunds)] if picture.refunds else []),
            *others,
        ]

    def heading(self, order: Order) -> dict[str, Any]:
        composed = status.statuses([order])[order.pk]
        return {**super().heading(order), "state": status_badge(composed)}


def receipts_of(order: Order) -> list[panels.Facts]:
    """The signed receipt of the order's release, once there is one."""
    found = Release.objects.filter(hold__order=order).order_by("released_at", "pk")
    if not found:
        return []
    rows = [(panels.instant(each.released_at), receipt_link(each.pk)) for each in found]
    return [panels.Facts(title=_("Receipt"), facts=rows, side=True)]


def status_badge(composed: status.Status) -> Any:
    return panels.badge(STATUSES[composed], TONES.get(composed, "default"))


def split_table(picture: status.Picture) -> panels.Table:
    """Who gets how much of the order, and how far it has come."""
    order = picture.order
    return panels.Table(
        title=_("Who gets how much"),
        headings=[_("Payee"), _("State"), _("Payout"), _("Amount")],
        numbers=[3],
        rows=[_split_row(line, order) for line in picture.split],
        total=[_("Total"), "", "", panels.money(order.amount_minor, order.currency)],
    )


def _split_row(line: status.SplitLine, order: Order) -> list[Any]:
    stands = status.LineStatus(line.status)
    payout = panels.NOTHING
    if line.payout:
        payout = panels.link("payouts_payout", line.payout, f"po_…{line.payout[-8:]}")
    return [
        Payee(line.payee).label,
        panels.badge(LINES[stands], LINE_TONES.get(stands, "default")),
        payout,
        panels.money(line.amount_minor, order.currency),
    ]
