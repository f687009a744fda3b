"""The operators' view of orders and payments. It only shows; what hangs on an order further down
the line is added by the operators' door (operators/admin.py)."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from ledger import admin_panels as panels
from ledger import selectors as books
from merchants import explanation
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
from merchants.models import Platform
from merchants.rules import CommissionBase
from merchants.terms import Group, Terms
from orders import selectors
from orders.admin_what_if import what_if_page
from orders.models import Order, OrderState, Payment, PaymentState

ORDER_TONES: dict[str, str] = {
    OrderState.CREATED: "default",
    OrderState.PAID: "info",
    OrderState.SHIPPED: "warning",
    OrderState.CONFIRMED: "success",
    OrderState.EXPIRED: "default",
    OrderState.CANCELED: "danger",
}
PAYMENT_TONES: dict[str, str] = {
    PaymentState.PENDING: "default",
    PaymentState.SUCCEEDED: "success",
    PaymentState.FAILED: "danger",
    PaymentState.EXPIRED: "default",
    PaymentState.UNKNOWN: "warning",
}


@admin.register(Order)
class OrderAdmin(ShownAdmin):
    list_display = [
        column(_("Order"), lambda order: order.reference, name="reference"),
        column(_("Seller"), lambda order: order.merchant.name, name="merchant"),
        column(_("Buyer"), lambda order: order.buyer_name or panels.NOTHING, name="buyer"),
        state_column(ORDER_TONES),
        amount_column(),
        instant_column(_("Created"), name="created_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Created")),
    ]
    list_select_related = ["merchant"]
    actions_list = ("what_if",)

    @action(description=_("Commission what-if"), permissions=["view"])
    def what_if(self, request: HttpRequest) -> HttpResponse:
        return what_if_page(self, request)

    def found_by(self, term: str) -> Q:
        # The unique index begins with the platform.
        platforms = list(Platform.objects.values_list("pk", flat=True))
        return Q(pk=term) | Q(platform_id__in=platforms, reference=term)

    def heading(self, order: Order) -> dict[str, Any]:
        return {
            "kind": _("Order"),
            "name": order.reference,
            "amount": panels.money(order.amount_minor, order.currency),
            "state": state_badge(order, ORDER_TONES),
        }

    def panels(self, request: HttpRequest, order: Order) -> list[Any]:
        channels = selectors.channels_paid(order_ids=[order.pk])
        terms = Terms.from_json(order.terms).under(channels.get(order.pk))
        return [
            commission(terms),
            panels.journal(books.subject_entries(order.pk)),
            lines(order),
            payments(order),
            shipments(order),
            panels.Remarks(
                _("How the split came about"),
                [remark.sentence for remark in explanation.explain(terms)],
            ),
            facts(order),
            audit_steps(order, labels=dict(OrderState.choices)),
        ]


def facts(order: Order) -> panels.Facts:
    merchant = panels.link("merchants_merchant", order.merchant_id, order.merchant.name)
    platform = panels.link("merchants_platform", order.platform_id, order.platform.name)
    return panels.Facts(
        title=_("Order"),
        facts=[
            (_("Id"), panels.mono(order.pk)),
            (_("Seller"), merchant),
            (_("Platform"), platform),
            (_("Buyer"), order.buyer_name or panels.NOTHING),
            (_("E-mail"), order.buyer_email or panels.NOTHING),
            (_("Delivery"), order.get_delivery_display()),
            (_("Pay by"), panels.instant(order.pay_by)),
            (_("Ship by"), panels.instant(order.ship_by)),
            (_("Confirm by"), panels.instant(order.confirm_by)),
        ],
        side=True,
    )


def lines(order: Order) -> panels.Table:
    """What was bought, with the shipping and the sum."""
    rows = [
        [line.title, line.category or panels.NOTHING, line.quantity, _money(order, line)]
        for line in order.lines.order_by("position")
    ]
    if order.shipping_minor:
        shipping = panels.money(order.shipping_minor, order.currency)
        rows.append([_("Shipping"), panels.NOTHING, "", shipping])
    return panels.Table(
        title=_("Goods"),
        headings=[_("Title"), _("Category"), _("Quantity"), _("Amount")],
        numbers=[2, 3],
        rows=rows,
        total=[_("Total"), "", "", panels.money(order.amount_minor, order.currency)],
    )


def commission(terms: Terms) -> panels.Table:
    """Which rule takes what, from the frozen terms alone."""
    rows = [_commission_row(group, terms.currency) for group in terms.groups]
    if terms.tax_minor:
        tax = panels.money(terms.tax_minor, terms.currency)
        taxed = panels.money(terms.commission_minor, terms.currency)
        rows.append([_("Tax on the commission"), taxed, panels.NOTHING, panels.NOTHING, tax])
    rows += [
        [part.name, "", "", panels.NOTHING, panels.money(part.amount_minor, terms.currency)]
        for part in terms.parties
    ]
    fee = panels.money(terms.service_fee_minor, terms.currency)
    paid = panels.money(terms.amount_minor, terms.currency)
    rows.append(
        [_("Service fee"), paid, panels.percent(terms.service_fee_bps), panels.NOTHING, fee]
    )
    seller = panels.money(terms.seller_minor, terms.currency)
    return panels.Table(
        title=_("Commission and fee"),
        headings=[_("Rule"), _("Base"), _("Rate"), _("Fixed, floor, cap"), _("Amount")],
        numbers=[1, 2, 3, 4],
        rows=rows,
        total=[_("Left for the seller"), "", "", "", seller],
    )


def _commission_row(group: Group, currency: str) -> list[Any]:
    rule = group.rule
    amount = panels.money(group.commission_minor, currency)
    base = panels.money(group.base_minor, currency)
    if rule is None:
        return [_("No rule"), base, panels.NOTHING, panels.NOTHING, amount]
    of = _("goods and shipping") if rule.base is CommissionBase.GOODS_AND_SHIPPING else _("goods")
    bounds = [rule.fixed_minor or None, rule.floor_minor, rule.cap_minor]
    limits = " / ".join(
        panels.NOTHING if bound is None else panels.digits(bound, currency) for bound in bounds
    )
    name = panels.link(
        "merchants_commissionrule", rule.id, _("Commission on %(base)s") % {"base": of}
    )
    return [name, base, panels.percent(group.rate_bps), limits, amount]


def payments(order: Order) -> panels.Table:
    parts = order.payment_parts.select_related("payment").order_by("payment_id")
    return panels.Table(
        title=_("Payments"),
        headings=[_("Payment"), _("Channel"), _("State"), _("Paid at"), _("Amount")],
        numbers=[4],
        rows=[
            [
                panels.link("orders_payment", part.payment_id, short(part.payment_id)),
                part.payment.channel,
                state_badge(part.payment, PAYMENT_TONES),
                panels.instant(part.payment.succeeded_at),
                _money(order, part),
            ]
            for part in parts
        ],
        empty=_("Nobody has tried to pay yet."),
    )


def shipments(order: Order) -> panels.Table:
    return panels.Table(
        title=_("Shipments"),
        headings=[_("Carrier"), _("Tracking number"), _("Shipped at"), _("Corrected")],
        rows=[
            [
                parcel.carrier,
                panels.mono(parcel.tracking_number),
                panels.instant(parcel.shipped_at),
                panels.instant(parcel.corrected_at),
            ]
            for parcel in order.shipments.order_by("position")
        ],
        empty=_("Nothing was shipped yet."),
    )


def short(key: str) -> str:
    """Enough of an id to tell rows of a page apart."""
    prefix, _separator, rest = key.partition("_")
    return f"{prefix}_…{rest[-8:]}"


def _money(order: Order, row: Any) -> Any:
    return panels.money(row.amount_minor, order.currency)


@admin.register(Payment)
class PaymentAdmin(ShownAdmin):
    list_display = [
        column(_("Payment"), lambda payment: panels.mono(payment.pk), name="id"),
        column(_("Platform"), lambda payment: payment.platform.name, name="platform"),
        column(_("Channel"), lambda payment: payment.channel, name="channel"),
        state_column(PAYMENT_TONES),
        amount_column(),
        instant_column(_("Created"), name="created_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        named_filter("channel", _("Channel"), lambda: list(settings.CHANNELS)),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Created")),
    ]
    list_select_related = ["platform"]

    def heading(self, payment: Payment) -> dict[str, Any]:
        return {
            "kind": _("Payment"),
            "name": short(payment.pk),
            "amount": panels.money(payment.amount_minor, payment.currency),
            "state": state_badge(payment, PAYMENT_TONES),
        }

    def panels(self, request: HttpRequest, payment: Payment) -> list[Any]:
        parts = payment.parts.select_related("order__merchant").order_by("order_id")
        orders = panels.Table(
            title=_("Orders"),
            headings=[_("Order"), _("Seller"), _("State"), _("Amount")],
            numbers=[3],
            rows=[
                [
                    panels.link("orders_order", part.order_id, part.order.reference),
                    part.order.merchant.name,
                    state_badge(part.order, ORDER_TONES),
                    panels.money(part.amount_minor, payment.currency),
                ]
                for part in parts
            ],
        )
        return [
            orders,
            payment_facts(payment),
            audit_steps(payment, labels=dict(PaymentState.choices)),
        ]


def payment_facts(payment: Payment) -> panels.Facts:
    return panels.Facts(
        title=_("Payment"),
        facts=[
            (_("Id"), panels.mono(payment.pk)),
            (_("Platform"), payment.platform.name),
            (_("Channel"), payment.channel),
            (_("Their reference"), panels.mono(payment.provider_reference)),
            (_("Created"), panels.instant(payment.created_at)),
            (_("Expires"), panels.instant(payment.expires_at)),
            (_("Paid at"), panels.instant(payment.succeeded_at)),
            (_("Asked next"), panels.instant(payment.due_at)),
            (_("Attempts"), payment.attempts),
            (_("Failure"), payment.failure_code or panels.NOTHING),
        ],
        side=True,
    )
