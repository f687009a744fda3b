"""Why: a client that lags behind the API fails in its users' hands, and nobody here sees it.

Addresses, parameters, filters and answers of clients/python are compared with the API's own, both
ways: what is new in the API and missing in the client fails as well.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from django.urls import URLPattern
from rest_framework import serializers

import holdfast
from api import access, fields, pages
from api.v1 import urls
from api.v1.answers import (
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
from api.v1.answers import fields as answer_fields
from api.v1.requests import disputes as ask_disputes
from api.v1.requests import merchants as ask_merchants
from api.v1.requests import orders as ask_orders
from api.v1.requests import payments as ask_payments
from api.v1.requests import refunds as ask_refunds
from api.v1.requests import sandbox as ask_sandbox
from api.v1.requests import webhooks as ask_webhooks
from api.views import ApiView
from holdfast import models, params, resources
from holdfast._operations import Declaration, Listing, Operation

# Doors that are not for platforms: notifications of channels and banks, and the web pages.
NOT_FOR_CLIENTS = {"inbound-channel", "inbound-rail", "openapi", "problem"}

ANSWERS: dict[type[models.Answer], type[serializers.Serializer]] = {
    models.Advance: sandbox.AdvanceAnswer,
    models.Attempt: webhooks.AttemptAnswer,
    models.Balance: money.BalanceAnswer,
    models.BankAccount: merchants.BankAccountAnswer,
    models.BankRefund: money.BankRefundAnswer,
    models.Buyer: orders.BuyerAnswer,
    models.BuyerLink: orders.NewOrderAnswer,
    models.Clock: sandbox.ClockAnswer,
    models.CommissionPlan: merchants.PlanAnswer,
    models.CommissionRule: merchants.RuleAnswer,
    models.CreatedOrder: orders.CreatedOrderAnswer,
    models.CreatedWebhookEndpoint: webhooks.CreatedEndpointAnswer,
    models.Deadlines: orders.DeadlinesAnswer,
    models.DebitRequest: debts.DebitRequestAnswer,
    models.Debt: debts.DebtAnswer,
    models.DebtStep: debts.DebtStepAnswer,
    models.Deduction: payouts.DeductionAnswer,
    models.Delivery: webhooks.DeliveryAnswer,
    models.DeliveryDetail: webhooks.DeliveryDetailAnswer,
    models.Dispute: disputes.DisputeAnswer,
    models.DisputeStep: disputes.DisputeStepAnswer,
    models.Evidence: disputes.EvidenceAnswer,
    models.Event: webhooks.EventAnswer,
    models.ExplainedSale: commission.ExplainedAnswer,
    models.ExtendedReceipt: orders.ExtendedReceiptAnswer,
    models.Fired: sandbox.FiredAnswer,
    models.Hold: money.HoldAnswer,
    models.LeftBehind: sandbox.LeftBehindAnswer,
    models.Line: orders.LineAnswer,
    models.Merchant: merchants.MerchantAnswer,
    models.MerchantDetail: merchants.MerchantDetailAnswer,
    models.Onboarding: merchants.OnboardingAnswer,
    models.Order: orders.OrderAnswer,
    models.OrderPayment: orders.OrderPaymentAnswer,
    models.OrderRefund: orders.RefundAnswer,
    models.OrderSummary: orders.OrderSummaryAnswer,
    models.Party: merchants.PartyAnswer,
    models.PartyPart: orders.PartyPartAnswer,
    models.PartyShare: merchants.PartyShareAnswer,
    models.Payment: payments.PaymentAnswer,
    models.PaymentPart: payments.PaymentPartAnswer,
    models.Payout: payouts.PayoutAnswer,
    models.Receipt: orders.ReceiptAnswer,
    models.ReceiptKey: money.ReceiptKeyAnswer,
    models.Refund: money.RefundAnswer,
    models.RefundLine: money.RefundLineAnswer,
    models.Release: money.ReleaseAnswer,
    models.ReleaseLine: money.ReleaseLineAnswer,
    models.Remark: orders.RemarkAnswer,
    models.RepricedOrder: commission.RepricedAnswer,
    models.RepricedTotal: commission.TotalAnswer,
    models.ReserveAccount: debts.ReserveAccountAnswer,
    models.ReserveStatement: payouts.ReserveStatementAnswer,
    models.Resent: webhooks.ResentAnswer,
    models.RowError: merchants.RowErrorAnswer,
    models.RuleImport: merchants.ImportAnswer,
    models.SignedReceipt: money.SignedReceiptAnswer,
    models.Settlement: payouts.SettlementAnswer,
    models.SettlementDetail: payouts.SettlementDetailAnswer,
    models.SettlementLine: payouts.SettlementLineAnswer,
    models.Share: money.ShareAnswer,
    models.Shipment: orders.ShipmentAnswer,
    models.SplitLine: orders.SplitLineAnswer,
    models.Tier: merchants.TierAnswer,
    models.Terms: orders.TermsAnswer,
    models.WebhookEndpoint: webhooks.EndpointAnswer,
    models.WebhookSecret: webhooks.SecretAnswer,
    models.WhatIf: commission.ComparisonAnswer,
}
MODELS = {serializer: model for model, serializer in ANSWERS.items()}
UNSERIALIZED = {models.WebhookEvent}  # an Event and the version it is written in

BODIES: dict[str, type[serializers.Serializer]] = {
    "bank_accounts.create": ask_merchants.BankAccountRequest,
    "buyer_disputes.add_evidence": ask_disputes.BuyerFileRequest,
    "buyer_disputes.answer_offer": ask_disputes.OfferReplyRequest,
    "buyer_disputes.create": ask_disputes.BuyerComplaintRequest,
    "buyer_disputes.read_evidence": ask_disputes.FileReadRequest,
    "buyer_disputes.retrieve": ask_disputes.TokenRequest,
    "buyer_disputes.send_back": ask_disputes.SendBackRequest,
    "buyer_disputes.withdraw": ask_disputes.WithdrawalRequest,
    "commission_plans.add_rule": ask_merchants.RuleRequest,
    "commission_plans.create": ask_merchants.PlanRequest,
    "commission_plans.update": ask_merchants.PlanChangeRequest,
    "commission_plans.explain": ask_merchants.SaleRequest,
    "commission_plans.import_rules": ask_merchants.ImportRequest,
    "commission_plans.what_if": ask_merchants.WhatIfRequest,
    "commission_rules.end": ask_merchants.EndRequest,
    "commission_rules.replace": ask_merchants.ReplacementRequest,
    "disputes.add_evidence": ask_disputes.EvidenceRequest,
    "disputes.answer": ask_disputes.AnswerRequest,
    "disputes.conclude_return": ask_disputes.ReturnRequest,
    "disputes.create": ask_disputes.DisputeRequest,
    "merchants.create": ask_merchants.MerchantRequest,
    "merchants.update": ask_merchants.MerchantChangeRequest,
    "orders.add_parcel": ask_orders.ParcelRequest,
    "orders.cancel": ask_orders.CancellationRequest,
    "orders.confirm": ask_orders.ConfirmationRequest,
    "orders.correct_parcel": ask_orders.ParcelRequest,
    "orders.create": ask_orders.OrderRequest,
    "orders.create_many": ask_orders.BulkRequest,
    "orders.extend": ask_orders.ExtensionRequest,
    "orders.extend_receipt": ask_orders.ConfirmationRequest,
    "orders.ship": ask_orders.ShipmentRequest,
    "refunds.create": ask_refunds.RefundRequest,
    "parties.create": ask_merchants.PartyRequest,
    "payments.create": ask_payments.PaymentRequest,
    "sandbox.advance_clock": ask_sandbox.AdvanceRequest,
    "sandbox.pay_debt": ask_sandbox.PayDebtRequest,
    "webhook_endpoints.create": ask_webhooks.EndpointRequest,
    "webhook_endpoints.resend": ask_webhooks.ResendRequest,
    "webhook_endpoints.roll_secret": ask_webhooks.RollRequest,
    "webhook_endpoints.update": ask_webhooks.EndpointChangeRequest,
}
BODILESS = {"bank_accounts.cancel", "deliveries.resend", "sandbox.pay", "webhook_endpoints.ping"}
INSIDE_BODIES: dict[Any, type[serializers.Serializer]] = {
    params.DraftRule: ask_merchants.DraftRuleRequest,
    params.NewOrder: ask_orders.OrderRequest,
    params.OrderBuyer: ask_orders.BuyerRequest,
    params.OrderLine: ask_orders.LineRequest,
    params.LineRefund: ask_refunds.LineRefundRequest,
    params.Parcel: ask_orders.ParcelRequest,
    params.PartyShare: ask_merchants.PartyShareRequest,
    params.SaleLine: ask_merchants.SaleLineRequest,
    params.Tier: ask_merchants.TierRequest,
}


def operations() -> Iterator[tuple[str, Any, Declaration]]:
    """Every operation of the client: its name, its descriptor, what it declares."""
    client = holdfast.Holdfast("sk_test_x", "https://pay.example.com")
    groups = {name: type(found) for name, found in vars(client).items() if name in _groups()}
    for group, kind in groups.items():
        for name, found in vars(kind).items():
            if isinstance(found, Operation | Listing):
                yield f"{group}.{name}", found, found.declared


def _groups() -> set[str]:
    kinds = {getattr(resources, name) for name in resources.__all__}
    client = holdfast.Holdfast("sk_test_x", "https://pay.example.com")
    return {name for name, found in vars(client).items() if type(found) in kinds}


def views() -> Iterator[tuple[str, str, type[ApiView]]]:
    """Every address for clients: its name, its path with {} for each id, its view."""
    for pattern in urls.urlpatterns:
        if isinstance(pattern, URLPattern) and pattern.name and pattern.name not in NOT_FOR_CLIENTS:
            path = re.sub(r"<[^>]+>", "{}", str(pattern.pattern))
            yield pattern.name, f"/v1/{path}", pattern.callback.view_class  # type: ignore[attr-defined]


def plain(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def serializers_of(*modules: ModuleType, base: type) -> set[type[serializers.Serializer]]:
    return {
        found
        for module in modules
        for found in vars(module).values()
        if inspect.isclass(found)
        and issubclass(found, base)
        and found.__module__ != base.__module__
    }


# Addresses and parameters


def test_client_and_api_have_the_same_operations() -> None:
    offered = {
        (method.upper(), path)
        for _name, path, view in views()
        for method in ("get", "post", "put", "patch", "delete")
        if method in view.http_method_names and hasattr(view, method)
    }
    known = [(declared.method, plain(declared.path)) for _, _, declared in operations()]

    assert set(known) == offered
    assert len(known) == len(offered), "two operations of the client are the same"


def test_every_group_of_operations_is_an_attribute_of_the_client() -> None:
    assert len(_groups()) == len(resources.__all__)


def test_lists_have_the_filters_of_the_api() -> None:
    by_path = {path: view for _name, path, view in views()}
    different = {}
    for name, found, declared in operations():
        view = by_path[plain(declared.path)]
        if declared.method != "GET":
            continue
        if isinstance(found, Listing):
            assert issubclass(view, pages.ListView), name
            wanted = {*view.filters, "limit"} | ({"expand"} if view.expandable else set())
        else:
            wanted = {"expand"} if view.expandable else set()
        if set(declared.fields) != wanted:
            different[name] = wanted ^ set(declared.fields)

    assert different == {}


def test_lists_give_what_the_api_lists() -> None:
    by_path = {path: view for _name, path, view in views()}
    lists = [
        (name, declared.answer, by_path[plain(declared.path)])
        for name, found, declared in operations()
        if isinstance(found, Listing)
    ]

    assert len(lists) == sum(issubclass(view, pages.ListView) for _, _, view in views())
    assert [
        name
        for name, answer, view in lists
        if issubclass(view, pages.ListView) and ANSWERS[answer] is not view.answer
    ] == []


def test_bodies_have_the_fields_of_the_api() -> None:
    posts = {name: declared for name, _, declared in operations() if declared.method == "POST"}

    assert set(posts) == set(BODIES) | BODILESS
    for name, serializer in BODIES.items():
        optional = {
            field
            for field in posts[name].fields
            if posts[name].signature.parameters[field].default is None
        }
        wanted = writable(serializer)
        assert set(posts[name].fields) == set(wanted), name
        assert optional == {field for field, found in wanted.items() if not found.required}, name
    assert all(posts[name].fields == () for name in BODILESS)


@pytest.mark.parametrize("typed", INSIDE_BODIES, ids=lambda typed: typed.__name__)
def test_objects_inside_bodies_have_the_fields_of_the_api(typed: Any) -> None:
    wanted = writable(INSIDE_BODIES[typed])

    assert set(typed.__annotations__) == set(wanted)
    assert typed.__required_keys__ == {name for name, each in wanted.items() if each.required}


def test_every_request_of_the_api_is_compared() -> None:
    modules = (ask_disputes, ask_merchants, ask_orders, ask_payments, ask_sandbox, ask_webhooks)
    found = serializers_of(*modules, base=fields.StrictSerializer)
    compared = {*BODIES.values(), *INSIDE_BODIES.values()}
    above = {base for each in compared for base in each.__mro__}

    assert found - compared - above == set()


def writable(serializer: type[serializers.Serializer]) -> dict[str, serializers.Field]:
    return {name: each for name, each in serializer().fields.items() if not each.read_only}


# Answers


@pytest.mark.parametrize("model", ANSWERS, ids=lambda model: model.__name__)
def test_answers_have_the_fields_of_the_api(model: type[models.Answer]) -> None:
    hints = {name: hint for name, hint in get_type_hints(model).items() if name != "raw"}
    wanted = {name: kind(field) for name, field in ANSWERS[model]().fields.items()}

    assert hints == wanted


def kind(field: serializers.Field) -> Any:
    """The type the client should have for a field of the API."""
    match field:
        case serializers.ListSerializer(child=serializers.Serializer() as child):
            found: Any = tuple[MODELS[type(child)], ...]  # type: ignore[misc]
        case serializers.ListField(child=child):
            found = tuple[kind(child), ...]  # type: ignore[misc]
        case serializers.Serializer():
            found = MODELS[type(field)]
        case answer_fields.Related():
            found = str | MODELS[field.whole]
        case serializers.DictField(child=child):
            text = isinstance(child, serializers.CharField)
            found = Mapping[str, str] if text else Mapping[str, Any]
        case serializers.SerializerMethodField():
            found = get_type_hints(getattr(field.parent, f"get_{field.field_name}"))["return"]
        case _:
            found = _plain_kind(field)
    return found | None if field.allow_null else found


def _plain_kind(field: serializers.Field) -> Any:
    kinds = {
        serializers.CharField: str,
        serializers.IntegerField: int,
        serializers.BooleanField: bool,
        serializers.DateTimeField: datetime,
    }
    [found] = [value for base, value in kinds.items() if isinstance(field, base)]
    return found


def test_every_answer_of_the_api_is_compared() -> None:
    modules = (
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
    exported = {getattr(models, name) for name in models.__all__} - {models.Answer}

    assert serializers_of(*modules, base=answer_fields.Answer) - set(MODELS) == set()
    assert exported == set(ANSWERS) | UNSERIALIZED


def test_client_speaks_the_newest_version() -> None:
    assert access.VERSIONS[-1] == holdfast.API_VERSION
