"""The operators' view of legal and risk freezes: one person places one, another lets it be lifted.

It stands at the last station because a freeze may be of a payout. Each action calls one service,
which refuses what it must; no page changes a row by itself.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow.models import Freeze, FreezeState
from escrow.services import freezes
from ledger import admin_panels as panels
from merchants.admin_pages import service_page
from merchants.admin_show import (
    ShownAdmin,
    Text,
    audit_steps,
    choices_filter,
    column,
    dates_filter,
    instant_column,
    related_filter,
    state_badge,
    state_column,
)
from merchants.models import Merchant, Platform
from orders.models import Order
from payouts import admin_rows as rows
from payouts import forms
from payouts.models import Payout
from payouts.services import freezing

TONES: dict[str, str] = {
    FreezeState.ACTIVE: "danger",
    FreezeState.PROPOSED: "warning",
    FreezeState.LIFTED: "success",
}


class FreezeAdmin(ShownAdmin):
    list_display = [
        column(_("Frozen"), lambda row: _name(row), name="subject"),
        column(_("What is frozen"), lambda row: _what(row), name="what"),
        column(_("Kind"), lambda row: row.get_kind_display(), name="kind"),
        state_column(TONES),
        column(_("Reason"), lambda row: row.reason, name="reason"),
        instant_column(_("Placed"), name="placed_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        choices_filter("kind", _("Kind")),
        related_filter("platform", _("Platform")),
        dates_filter("placed_at", _("Placed")),
    ]
    list_select_related = ["order", "merchant"]
    actions_list = ["freeze_order", "freeze_seller", "freeze_payout"]
    actions_detail = ["propose", "lift", "keep"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(order_id=term) | Q(merchant_id=term) | Q(payout_id=term)

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, FreezeState.ACTIVE)

    def has_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, FreezeState.PROPOSED)

    def _in_state(self, request: HttpRequest, object_id: str | None, state: str) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return Freeze.objects.filter(pk=object_id, state=state).exists()

    def heading(self, freeze: Freeze) -> dict[str, Any]:
        return {
            "kind": freeze.get_kind_display(),
            "name": _name(freeze),
            "state": state_badge(freeze, TONES),
        }

    def notices(self, request: HttpRequest, freeze: Freeze) -> list[str]:
        said = []
        if freeze.state != FreezeState.LIFTED:
            said.append(_now("Neither the platform nor the seller is told why this is frozen."))
        if freeze.state == FreezeState.PROPOSED:
            said.append(_now("It is proposed to lift this freeze; a second person has to agree."))
            if freeze.lift_proposed_by_id == request.user.pk:
                said.append(own_proposal())
        return said

    def panels(self, request: HttpRequest, freeze: Freeze) -> list[Any]:
        others = Freeze.objects.filter(
            order=freeze.order_id, merchant=freeze.merchant_id, payout_id=freeze.payout_id
        ).exclude(pk=freeze.pk)
        return [
            panels.Facts(title=_("Freeze"), facts=_facts(freeze)),
            panels.Facts(title=_("Who lifts it"), facts=_lifting(freeze)),
            _table(others.order_by("pk")),
            audit_steps(freeze, labels=dict(FreezeState.choices)),
        ]

    @action(description=_("Freeze an order"), permissions=["create"], icon="lock")
    def freeze_order(self, request: HttpRequest) -> HttpResponse:
        return self._place(
            request,
            title=_now("Freeze an order"),
            form_class=forms.FreezeOrderForm,
            call=freezes.freeze_order,
            of=Order,
            explanation=_now(
                "Its money is neither released nor refunded, and its time to confirm stands still."
            ),
        )

    @action(description=_("Freeze a seller"), permissions=["create"], icon="person_off")
    def freeze_seller(self, request: HttpRequest) -> HttpResponse:
        return self._place(
            request,
            title=_now("Freeze a seller"),
            form_class=forms.FreezeSellerForm,
            call=freezes.freeze_seller,
            of=Merchant,
            explanation=_now("Nothing is paid out to it. Its orders go on; their money waits."),
        )

    @action(description=_("Freeze a payout"), permissions=["create"], icon="money_off")
    def freeze_payout(self, request: HttpRequest) -> HttpResponse:
        return self._place(
            request,
            title=_now("Freeze a payout"),
            form_class=forms.FreezePayoutForm,
            call=freezing.freeze_payout,
            of=Payout,
            explanation=_now("It is not sent to the bank. What was sent cannot be frozen."),
        )

    def _place(
        self,
        request: HttpRequest,
        *,
        title: str,
        form_class: type[forms.FreezeForm],
        call: Callable[..., Any],
        of: type[Model],
        explanation: str,
    ) -> HttpResponse:
        return service_page(
            self,
            request,
            title=title,
            form_class=form_class,
            call=call,
            arguments={"operator": request.user},
            explanation=explanation,
            initial=request.GET.dict(),
            platform=_platform(of, request.POST.get(form_class.subject, "")),
            passes_reason=True,
        )

    @action(
        description=_("Propose to lift it"),
        permissions=["propose"],
        icon="lock_open",
        variant=ActionVariant.PRIMARY,
    )
    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        freeze = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Propose to lift the freeze"),
            call=freezes.propose_lift,
            arguments={"freeze_id": object_id, "operator": request.user},
            explanation=_now("It stays in force until a second person agrees."),
            object_id=object_id,
            facts=_facts(freeze),
            platform=freeze.platform,
            passes_reason=True,
        )

    @action(
        description=_("Lift it"),
        permissions=["lift"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        freeze = _find(object_id)
        own = freeze.lift_proposed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Lift the freeze"),
            call=freezes.lift_freeze,
            fresh=True,
            arguments={"freeze_id": object_id, "operator": request.user},
            explanation=_now("What waits for nothing else goes on at once."),
            object_id=object_id,
            facts=[*_facts(freeze), *_lifting(freeze)],
            refused=own_proposal() if own else "",
            platform=freeze.platform,
        )

    @action(description=_("Keep it frozen"), permissions=["lift"], icon="lock")
    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        freeze = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Keep it frozen"),
            call=lambda *, freeze_id, at: freezes.keep_freeze(freeze_id=freeze_id),
            arguments={"freeze_id": object_id},
            explanation=_now("The proposal is turned down, or taken back; the freeze goes on."),
            object_id=object_id,
            facts=[*_facts(freeze), *_lifting(freeze)],
            platform=freeze.platform,
        )


def own_proposal() -> str:
    return _now("You proposed it yourself; another operator has to lift it.")


def _find(freeze_id: str) -> Freeze:
    found = Freeze.objects.select_related(
        "platform", "order", "merchant", "placed_by", "lift_proposed_by"
    )
    return get_object_or_404(found, pk=freeze_id)


def _platform(of: type[Model], key: str) -> Platform | None:
    """Whose clock counts. The service refuses what is not there."""
    found: Any = of._default_manager.filter(pk=key).select_related("platform").first()
    return found.platform if found else None


def _what(freeze: Freeze) -> Text:
    if freeze.order_id:
        return _("Order")
    return _("Seller") if freeze.merchant_id else _("Payout")


def _name(freeze: Freeze) -> str:
    if freeze.order is not None:
        return freeze.order.reference
    return freeze.merchant.name if freeze.merchant else rows.short(freeze.subject)


def _facts(freeze: Freeze) -> list[tuple[Any, Any]]:
    page = "merchants_merchant" if freeze.merchant_id else "payouts_payout"
    return [
        (
            _what(freeze),
            panels.link("orders_order" if freeze.order_id else page, freeze.subject, _name(freeze)),
        ),
        (_("Platform"), freeze.platform.name),
        (_("Kind"), freeze.get_kind_display()),
        (_("Reason"), freeze.reason),
        (_("Placed by"), freeze.placed_by),
        (_("Placed"), panels.instant(freeze.placed_at)),
    ]


def _lifting(freeze: Freeze) -> list[tuple[Any, Any]]:
    return [
        (_("Lifting proposed by"), freeze.lift_proposed_by or panels.NOTHING),
        (_("Proposed"), panels.instant(freeze.lift_proposed_at)),
        (_("Why it is lifted"), freeze.lift_reason or panels.NOTHING),
        (_("Lifted by"), freeze.lifted_by or panels.NOTHING),
        (_("Lifted at"), panels.instant(freeze.lifted_at)),
    ]


def _table(freezes: Any) -> panels.Table:
    return panels.Table(
        title=_("Other freezes of the same"),
        headings=[_("Freeze"), _("Kind"), _("State"), _("Placed")],
        rows=[
            [
                panels.link("escrow_freeze", each.pk, rows.short(each.pk)),
                each.get_kind_display(),
                state_badge(each, TONES),
                panels.instant(each.placed_at),
            ]
            for each in freezes
        ],
    )
