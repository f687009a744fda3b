"""Commission plans over HTTP, with what a sale would pay and what past orders would have paid."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, lookups, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import commission as answers
from api.v1.answers import merchants as plan_answers
from api.v1.requests import merchants as requests
from merchants import rules as commission
from merchants import selectors
from merchants import services as merchants
from merchants.models import CommissionPlan, CommissionRule, Party
from orders import selectors as orders
from orders.services import creation, plans, pricing


class PartiesView(pages.ListView):
    scope = "commission"
    answer = plan_answers.PartyAnswer
    filters: ClassVar = {
        "reference": pages.text("reference", "Your own name for the party."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Party]:
        return selectors.parties_of(platform_id=self.platform.id)

    @extend_schema(request=requests.PartyRequest, responses={201: plan_answers.PartyAnswer})
    @refuses(merchants.create_party)
    @idempotent
    def post(self, request: Request) -> Response:
        """Take in a further party."""
        body = self.read(requests.PartyRequest)
        party = merchants.create_party(platform=self.platform, at=request.at, **body)
        path = reverse("v1:party", args=[party.id])
        return Response(self.write(party), 201, headers={"Location": path})


class PartyView(pages.ItemView):
    scope = "commission"
    listing = PartiesView


class PlansView(pages.ListView):
    scope = "commission"
    answer = plan_answers.PlanAnswer
    filters: ClassVar = {**pages.created()}

    def rows(self) -> QuerySet[CommissionPlan]:
        return selectors.plans_of(platform_id=self.platform.id)

    @extend_schema(request=requests.PlanRequest, responses={201: plan_answers.PlanAnswer})
    @refuses(merchants.create_plan)
    @idempotent
    def post(self, request: Request) -> Response:
        """Start a commission plan."""
        body = self.read(requests.PlanRequest)
        plan = merchants.create_plan(platform=self.platform, at=request.at, **body)
        path = reverse("v1:commission-plan", args=[plan.id])
        return Response(self.write(plan), 201, headers={"Location": path})


class PlanView(pages.ItemView):
    scope = "commission"
    listing = PlansView

    @extend_schema(request=requests.PlanChangeRequest)
    @refuses(plans.change_plan)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Change a plan for orders to come; what is left out stays. Orders keep what they froze.

        More of Holdfast's service fee may be kept of refunds, not less; the reserve never goes
        below what is required.
        """
        body = self.read(requests.PlanChangeRequest)
        plan = plans.change_plan(plan_id=self.find(id).pk, changes=body, at=request.at)
        return Response(self.write(plan))


class RulesView(pages.ItemView):
    scope = "commission"
    listing = PlansView

    @extend_schema(responses=plan_answers.RuleAnswer(many=True))
    def get(self, request: Request, id: str) -> Response:
        """Return the rules of a plan, ended ones too."""
        return Response({"data": self.write(self.find(id))["rules"]})

    @extend_schema(request=requests.RuleRequest, responses={201: plan_answers.RuleAnswer})
    @refuses(lookups.get_merchant, merchants.add_rule)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Add a rule to a plan, for orders to come."""
        body = self.read(requests.RuleRequest)
        merchant_id = body.pop("merchant")
        rule = merchants.add_rule(
            plan=self.find(id),
            merchant=_merchant(self, merchant_id),
            effective_from=body.pop("effective_from", request.at),
            at=request.at,
            **body | _lists(body),
        )
        return Response(kept.write(plan_answers.RuleAnswer, rule), 201)


class ImportView(pages.ActionView):
    scope = "commission"
    listing = PlansView

    @extend_schema(request=requests.ImportRequest, responses=plan_answers.ImportAnswer)
    @refuses(merchants.import_rules)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Add the rules of a CSV file to a plan, all or none. By default it is a dry run.

        Columns: currency and rate_bps, then, as needed, those of a rule; parties and tiers are
        written `pty_1 250 0; pty_2 0 30` and `100000 400; 500000 300`.
        """
        body = self.read(requests.ImportRequest)
        found = merchants.import_rules(
            plan=self.find(id), text=body["csv"], dry_run=body["dry_run"], at=request.at
        )
        return Response(plan_answers.ImportAnswer(found).data)


class _RuleView(pages.ActionView):
    scope = "commission"
    listing = PlansView

    def rows(self) -> QuerySet[CommissionRule]:
        return selectors.rules_of(platform_id=self.platform.id)


class RuleReplaceView(_RuleView):
    @extend_schema(request=requests.ReplacementRequest, responses={201: plan_answers.RuleAnswer})
    @refuses(merchants.replace_rule)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """End a rule and start its next version at the same instant."""
        body = self.read(requests.ReplacementRequest)
        rule = merchants.replace_rule(
            rule_id=self.find(id).pk,
            effective_from=body.pop("effective_from", request.at),
            at=request.at,
            **body | _lists(body),
        )
        return Response(kept.write(plan_answers.RuleAnswer, rule), 201)


class RuleEndView(_RuleView):
    @extend_schema(request=requests.EndRequest, responses=plan_answers.RuleAnswer)
    @refuses(merchants.end_rule)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """End a rule. Orders created before keep their frozen terms."""
        body = self.read(requests.EndRequest)
        rule = merchants.end_rule(
            rule_id=self.find(id).pk,
            effective_to=body.get("effective_to", request.at),
            at=request.at,
        )
        return Response(kept.write(plan_answers.RuleAnswer, rule))


class ExplainView(pages.ActionView):
    scope = "commission"
    listing = PlansView

    @extend_schema(request=requests.SaleRequest, responses=answers.ExplainedAnswer)
    @refuses(merchants.explain_sale)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Say what a sale would pay under this plan now, and why. Nothing is written."""
        body = self.read(requests.SaleRequest)
        explained = merchants.explain_sale(
            plan=self.find(id),
            channel=body["channel"],
            volume=creation.volume_at(request.at),
            sale=commission.Sale(
                merchant_id=body["merchant"],
                currency=body["currency"],
                lines=[commission.OrderedLine(**line) for line in body["lines"]],
                shipping_minor=body["shipping_minor"],
            ),
            service_fee_bps=self.platform.service_fee_bps,
            at=request.at,
        )
        return Response(kept.write(answers.ExplainedAnswer, explained))


class WhatIfView(pages.ActionView):
    scope = "commission"
    listing = PlansView

    @extend_schema(request=requests.WhatIfRequest, responses=answers.ComparisonAnswer)
    @refuses(pricing.what_if_rules, pricing.what_if_plan)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Price past orders again, under this plan or under rules to try. Nothing is written.

        The newest 500 orders that were paid and not refunded are taken.
        """
        body = self.read(requests.WhatIfRequest)
        sold = orders.orders_of(platform_id=self.platform.id)
        names = {
            "merchant": "merchant_id",
            "created_from": "created_at__gte",
            "created_before": "created_at__lt",
        }
        sold = sold.filter(**{names[name]: body[name] for name in names if name in body})
        plan = self.find(id)
        if "rules" in body:
            found = pricing.what_if_rules(
                platform=self.platform,
                rules=[_new_rule(rule) for rule in body["rules"]],
                orders=sold,
                at=request.at,
            )
        else:
            found = pricing.what_if_plan(
                platform=self.platform, plan_id=plan.pk, orders=sold, at=request.at
            )
        return Response(kept.write(answers.ComparisonAnswer, found))


def _new_rule(body: dict[str, Any]) -> merchants.NewRule:
    rest = {name: value for name, value in body.items() if name != "merchant"}
    return merchants.NewRule(merchant_id=body["merchant"], **rest | _lists(body))


def _lists(body: dict[str, Any]) -> dict[str, Any]:
    """What a body says in lists of objects, as values."""
    return {
        "parties": [
            merchants.NewPartyShare(
                party_id=each["party"], rate_bps=each["rate_bps"], fixed_minor=each["fixed_minor"]
            )
            for each in body["parties"]
        ],
        "tiers": [commission.Tier(**each) for each in body["tiers"]],
    }


def _merchant(view: pages.ItemView, merchant_id: str | None) -> Any:
    if merchant_id is None:
        return None
    return lookups.get_merchant(platform=view.platform, merchant_id=merchant_id)
