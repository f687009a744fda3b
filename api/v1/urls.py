"""Every address of version 1, on one screen."""

from django.urls import path, re_path, register_converter

from api.v1 import (
    buyer_disputes,
    commission,
    debts,
    disputes,
    merchants,
    money,
    orders,
    payments,
    payouts,
    sandbox,
    webhooks,
)
from api.v1.inbound import InboundView
from api.v1.missing import MissingView
from api.v1.openapi import OpenApiView
from api.v1.problems import ProblemView


class NameConverter:
    """An id or a name of ours; anything else in its place is an address that does not exist."""

    regex = r"[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "name")

app_name = "v1"
urlpatterns = [
    path("merchants", merchants.MerchantsView.as_view(), name="merchants"),
    path("merchants/<name:id>", merchants.MerchantView.as_view(), name="merchant"),
    path("bank-accounts", merchants.BankAccountsView.as_view(), name="bank-accounts"),
    path("bank-accounts/<name:id>", merchants.BankAccountView.as_view(), name="bank-account"),
    path(
        "bank-accounts/<name:id>/cancel",
        merchants.BankAccountCancelView.as_view(),
        name="bank-account-cancel",
    ),
    path("parties", commission.PartiesView.as_view(), name="parties"),
    path("parties/<name:id>", commission.PartyView.as_view(), name="party"),
    path("commission-plans", commission.PlansView.as_view(), name="commission-plans"),
    path("commission-plans/<name:id>", commission.PlanView.as_view(), name="commission-plan"),
    path("commission-plans/<name:id>/rules", commission.RulesView.as_view(), name="rules"),
    path("commission-plans/<name:id>/import", commission.ImportView.as_view(), name="import"),
    path("commission-plans/<name:id>/explain", commission.ExplainView.as_view(), name="explain"),
    path("commission-plans/<name:id>/what-if", commission.WhatIfView.as_view(), name="what-if"),
    path(
        "commission-rules/<name:id>/replace",
        commission.RuleReplaceView.as_view(),
        name="rule-replace",
    ),
    path("commission-rules/<name:id>/end", commission.RuleEndView.as_view(), name="rule-end"),
    path("orders", orders.OrdersView.as_view(), name="orders"),
    path("orders/bulk", orders.OrdersBulkView.as_view(), name="orders-bulk"),
    path("orders/<name:order_id>", orders.OrderView.as_view(), name="order"),
    path("orders/<name:order_id>/ship", orders.OrderShipView.as_view(), name="order-ship"),
    path("orders/<name:order_id>/parcels", orders.OrderParcelsView.as_view(), name="order-parcels"),
    path(
        "orders/<name:order_id>/parcels/<name:parcel_id>/correct",
        orders.OrderParcelCorrectView.as_view(),
        name="order-parcel-correct",
    ),
    path("orders/<name:order_id>/extend", orders.OrderExtendView.as_view(), name="order-extend"),
    path("orders/<name:order_id>/cancel", orders.OrderCancelView.as_view(), name="order-cancel"),
    path("orders/<name:order_id>/confirm", orders.OrderConfirmView.as_view(), name="order-confirm"),
    path(
        "orders/<name:order_id>/extend-receipt",
        orders.OrderExtendReceiptView.as_view(),
        name="order-extend-receipt",
    ),
    path(
        "orders/<name:order_id>/dispute",
        buyer_disputes.OrderDisputeView.as_view(),
        name="order-dispute",
    ),
    path(
        "orders/<name:order_id>/dispute/view",
        buyer_disputes.OrderDisputeViewView.as_view(),
        name="order-dispute-view",
    ),
    path(
        "orders/<name:order_id>/dispute/offer",
        buyer_disputes.OrderDisputeOfferView.as_view(),
        name="order-dispute-offer",
    ),
    path(
        "orders/<name:order_id>/dispute/withdraw",
        buyer_disputes.OrderDisputeWithdrawView.as_view(),
        name="order-dispute-withdraw",
    ),
    path(
        "orders/<name:order_id>/dispute/send-back",
        buyer_disputes.OrderDisputeSendBackView.as_view(),
        name="order-dispute-send-back",
    ),
    path(
        "orders/<name:order_id>/dispute/evidence",
        buyer_disputes.OrderDisputeEvidenceView.as_view(),
        name="order-dispute-evidence",
    ),
    path(
        "orders/<name:order_id>/dispute/file",
        buyer_disputes.OrderDisputeFileView.as_view(),
        name="order-dispute-file",
    ),
    path("payments", payments.PaymentsView.as_view(), name="payments"),
    path("payments/<name:payment_id>", payments.PaymentView.as_view(), name="payment"),
    path("holds", money.HoldsView.as_view(), name="holds"),
    path("holds/<name:id>", money.HoldView.as_view(), name="hold"),
    path("releases", money.ReleasesView.as_view(), name="releases"),
    path("releases/<name:id>", money.ReleaseView.as_view(), name="release"),
    path("releases/<name:id>/receipt", money.ReleaseReceiptView.as_view(), name="release-receipt"),
    path("receipt-keys", money.ReceiptKeysView.as_view(), name="receipt-keys"),
    path("refunds", money.RefundsView.as_view(), name="refunds"),
    path("refunds/<name:id>", money.RefundView.as_view(), name="refund"),
    path("disputes", disputes.DisputesView.as_view(), name="disputes"),
    path("disputes/<name:id>", disputes.DisputeView.as_view(), name="dispute"),
    path("disputes/<name:id>/answer", disputes.DisputeAnswerView.as_view(), name="dispute-answer"),
    path("disputes/<name:id>/return", disputes.DisputeReturnView.as_view(), name="dispute-return"),
    path(
        "disputes/<name:id>/evidence",
        disputes.DisputeEvidenceView.as_view(),
        name="dispute-evidence",
    ),
    path(
        "disputes/<name:id>/evidence/<name:evidence_id>",
        disputes.DisputeFileView.as_view(),
        name="dispute-file",
    ),
    path("balances", money.BalancesView.as_view(), name="balances"),
    path("debts", debts.DebtsView.as_view(), name="debts"),
    path("debts/<name:id>", debts.DebtView.as_view(), name="debt"),
    path("settlements", payouts.SettlementsView.as_view(), name="settlements"),
    path("settlements/<name:id>", payouts.SettlementView.as_view(), name="settlement"),
    path("payouts", payouts.PayoutsView.as_view(), name="payouts"),
    path("payouts/<name:id>", payouts.PayoutView.as_view(), name="payout"),
    path("events", webhooks.EventsView.as_view(), name="events"),
    path("events/<name:id>", webhooks.EventView.as_view(), name="event"),
    path("webhook-endpoints", webhooks.EndpointsView.as_view(), name="webhook-endpoints"),
    path("webhook-endpoints/<name:id>", webhooks.EndpointView.as_view(), name="webhook-endpoint"),
    path("webhook-endpoints/<name:id>/ping", webhooks.PingView.as_view(), name="webhook-ping"),
    path(
        "webhook-endpoints/<name:id>/roll-secret",
        webhooks.RollSecretView.as_view(),
        name="webhook-roll-secret",
    ),
    path(
        "webhook-endpoints/<name:id>/resend", webhooks.ResendView.as_view(), name="webhook-resend"
    ),
    path("deliveries", webhooks.DeliveriesView.as_view(), name="deliveries"),
    path("deliveries/<name:id>", webhooks.DeliveryView.as_view(), name="delivery"),
    path(
        "deliveries/<name:id>/resend",
        webhooks.DeliveryResendView.as_view(),
        name="delivery-resend",
    ),
    path("sandbox/clock", sandbox.ClockView.as_view(), name="sandbox-clock"),
    path("sandbox/clock/advance", sandbox.ClockAdvanceView.as_view(), name="sandbox-advance"),
    path("sandbox/payments/<name:payment_id>/pay", sandbox.PayView.as_view(), name="sandbox-pay"),
    path("sandbox/debts/<name:debt_id>/pay", sandbox.PayDebtView.as_view(), name="sandbox-debt"),
    path(
        "inbound/channels/<name:name>", InboundView.as_view(kind="channels"), name="inbound-channel"
    ),
    path("inbound/rails/<name:name>", InboundView.as_view(kind="rails"), name="inbound-rail"),
    path("openapi.json", OpenApiView.as_view(), name="openapi"),
    path("problems/<name:code>", ProblemView.as_view(), name="problem"),
    re_path(r"", MissingView.as_view()),
]
