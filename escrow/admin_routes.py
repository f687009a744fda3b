"""What operators do about a refund the channel refused: ask it again, or propose to pay the buyer's
bank account. The second person's page is payouts' own, which speaks to the bank.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow import forms
from escrow.models import OVER, BankRefund, Refund, RefundState
from escrow.services import bank_refunds
from ledger import admin_panels as panels
from merchants.admin_pages import service_page
from merchants.admin_show import ShownAdmin


class RoutedAdmin(ShownAdmin):
    """The part of a refund's page that is about its route."""

    actions_detail = ["reroute", "ask_again"]

    def has_reroute_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer it only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        refused = Refund.objects.filter(pk=object_id, state=RefundState.FAILED)
        live = BankRefund.objects.filter(refund_id=object_id).exclude(state__in=OVER)
        return refused.exists() and not live.exists()

    def notices(self, request: HttpRequest, row: Refund) -> list[str]:
        if row.state != RefundState.FAILED:
            return []
        if row.bank_refunds.exclude(state__in=OVER).exists():
            return [_now("The channel refuses; the money goes to the buyer's bank.")]
        return [_now("The channel refuses. Ask it again, or pay the buyer's bank account.")]

    @action(
        description=_("Pay by the bank"),
        permissions=["reroute"],
        icon="account_balance",
        variant=ActionVariant.PRIMARY,
    )
    def reroute(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Propose to pay the buyer's bank account"),
            form_class=forms.BankRefundForm,
            call=bank_refunds.propose_bank_refund,
            arguments={"refund_id": object_id, "operator": request.user},
            explanation=_now(
                "Another person has to approve it. Say how you know that the account is the"
                " buyer's."
            ),
            object_id=object_id,
            facts=_refused(refund),
            platform=refund.platform,
            passes_reason=True,
        )

    @action(description=_("Ask the channel again"), permissions=["reroute"], icon="replay")
    def ask_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Ask the channel again"),
            call=bank_refunds.ask_channel_again,
            arguments={"refund_id": object_id},
            explanation=_now("Under the same reference, which a channel pays at most once."),
            object_id=object_id,
            facts=_refused(refund),
            platform=refund.platform,
        )


def _find(refund_id: str) -> Refund:
    found = Refund.objects.select_related("platform", "hold__order", "surplus__order")
    return get_object_or_404(found, pk=refund_id)


def _refused(refund: Refund) -> list[tuple[Any, Any]]:
    source = refund.hold or refund.surplus
    assert source is not None, "the database holds it to be one of the two"
    order = source.order
    buyer = " · ".join(each for each in (order.buyer_name, order.buyer_email) if each)
    return [
        (_("Order"), order.reference),
        (_("Buyer"), buyer or panels.NOTHING),
        (_("Amount"), panels.money(refund.amount_minor, refund.currency)),
        (_("Failure"), refund.failure_code or panels.NOTHING),
    ]


def routes(refund: Refund) -> list[panels.Table]:
    """The attempts to pay a refund by the bank, if there are any."""
    found = list(refund.bank_refunds.order_by("id"))
    if not found:
        return []
    return [
        panels.Table(
            title=_("By the bank"),
            headings=[_("Bank refund"), _("To account"), _("State"), _("Failure"), _("Amount")],
            numbers=[4],
            rows=[
                [
                    panels.link("escrow_bankrefund", each.pk, f"brf_…{each.pk[-8:]}"),
                    f"{each.holder_name} •••• {each.last_four}",
                    each.get_state_display(),
                    each.failure_code or panels.NOTHING,
                    panels.money(each.amount_minor, each.currency),
                ]
                for each in found
            ],
        )
    ]
