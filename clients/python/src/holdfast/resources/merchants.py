"""Sellers, bank accounts and commission. Signatures only: see holdfast._operations."""

# mypy: disable-error-code="empty-body"

from collections.abc import Sequence
from datetime import datetime

from holdfast import models
from holdfast._operations import Mode, Resource, get, listing, post
from holdfast.params import DraftRule, PartyShare, SaleLine, Tier


class Merchants(Resource[Mode]):
    """Sellers on your platform."""

    @listing("/v1/merchants")
    def list(
        self,
        *,
        reference: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.MerchantDetail:
        """List sellers, newest first. `limit`: how many per page, up to 100."""
        ...

    @post("/v1/merchants")
    def create(
        self,
        *,
        reference: str,
        name: str,
        email: str | None = None,
        language: str | None = None,
        time_zone: str | None = None,
        reserve_bps: int | None = None,
        reserve_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.MerchantDetail:
        """Take in a seller. `reference`: your own name for it, unique.

        `reserve_…`: held back of each release for so many days; left out: as the plan says.
        """
        ...

    @get("/v1/merchants/{merchant_id}")
    def retrieve(self, merchant_id: str) -> models.MerchantDetail:
        """Read a seller, with what is missing before it can be paid."""
        ...

    @post("/v1/merchants/{merchant_id}")
    def update(
        self,
        merchant_id: str,
        *,
        name: str | None = None,
        email: str | None = None,
        language: str | None = None,
        time_zone: str | None = None,
        active: bool | None = None,
        reserve_bps: int | None = None,
        reserve_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.MerchantDetail:
        """Change a seller; what is left out stays."""
        ...


class BankAccounts(Resource[Mode]):
    """Where payees are paid."""

    @listing("/v1/bank-accounts")
    def list(
        self,
        *,
        payee: str | Sequence[str] | None = None,
        merchant: str | None = None,
        party: str | None = None,
        currency: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.BankAccount:
        """List bank accounts, newest first."""
        ...

    @post("/v1/bank-accounts")
    def create(
        self,
        *,
        currency: str,
        holder_name: str,
        bank_code: str,
        account_number: str,
        merchant: str | None = None,
        party: str | None = None,
        bank_name: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.BankAccount:
        """Pay a payee into this account: its first of a currency from now on, a changed one from
        `effective_at` on. Without `merchant` and `party`: your platform itself."""
        ...

    @get("/v1/bank-accounts/{account_id}")
    def retrieve(self, account_id: str) -> models.BankAccount:
        """Read a bank account."""
        ...

    @post("/v1/bank-accounts/{account_id}/cancel")
    def cancel(self, account_id: str, *, idempotency_key: str | None = None) -> models.BankAccount:
        """Cancel a changed account while it waits; payouts go on to the one in force."""
        ...


class Parties(Resource[Mode]):
    """Somebody else that rules may give a part of sales: affiliates, carriers, tax offices."""

    @listing("/v1/parties")
    def list(
        self,
        *,
        reference: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Party:
        """List further parties, newest first."""
        ...

    @post("/v1/parties")
    def create(
        self, *, reference: str, name: str, idempotency_key: str | None = None
    ) -> models.Party:
        """Take in a further party."""
        ...

    @get("/v1/parties/{party_id}")
    def retrieve(self, party_id: str) -> models.Party:
        """Read a further party."""
        ...


class CommissionPlans(Resource[Mode]):
    """What your platform takes of sales."""

    @listing("/v1/commission-plans")
    def list(
        self,
        *,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.CommissionPlan:
        """List commission plans, newest first."""
        ...

    @post("/v1/commission-plans")
    def create(
        self,
        *,
        name: str,
        commission_returned_bps: int | None = None,
        service_fee_returned_bps: int | None = None,
        party_returned_bps: int | None = None,
        channel_fee_bps: int | None = None,
        channel_fee_returned_bps: int | None = None,
        guarantee_days: int | None = None,
        reserve_bps: int | None = None,
        reserve_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.CommissionPlan:
        """Start a commission plan. It is in force at once.

        `…_returned_bps`: what sellers get back of each cut when an order is refunded.
        `channel_fee_bps`: what the payment channel keeps, a part inside the service fee.
        `reserve_…`: what of each release is held back of sellers, for so many days.
        """
        ...

    @get("/v1/commission-plans/{plan_id}")
    def retrieve(self, plan_id: str) -> models.CommissionPlan:
        """Read a commission plan."""
        ...

    @post("/v1/commission-plans/{plan_id}")
    def update(
        self,
        plan_id: str,
        *,
        name: str | None = None,
        commission_returned_bps: int | None = None,
        service_fee_returned_bps: int | None = None,
        party_returned_bps: int | None = None,
        channel_fee_bps: int | None = None,
        channel_fee_returned_bps: int | None = None,
        guarantee_days: int | None = None,
        reserve_bps: int | None = None,
        reserve_days: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.CommissionPlan:
        """Change a plan for orders to come; what is left out stays."""
        ...

    @get("/v1/commission-plans/{plan_id}/rules", under="data")
    def rules(self, plan_id: str) -> tuple[models.CommissionRule, ...]:
        """Read the rules of a plan, ended ones too."""
        ...

    @post("/v1/commission-plans/{plan_id}/rules")
    def add_rule(
        self,
        plan_id: str,
        *,
        currency: str,
        rate_bps: int,
        fixed_minor: int | None = None,
        floor_minor: int | None = None,
        cap_minor: int | None = None,
        base: str | None = None,
        tax_bps: int | None = None,
        parties: Sequence[PartyShare] | None = None,
        tiers: Sequence[Tier] | None = None,
        priority: int | None = None,
        merchant: str | None = None,
        category: str | None = None,
        channel: str | None = None,
        min_order_minor: int | None = None,
        max_order_minor: int | None = None,
        effective_from: datetime | None = None,
        effective_to: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> models.CommissionRule:
        """Add a rule to a plan, for orders to come. `rate_bps`: 500 is 5 %."""
        ...

    @post("/v1/commission-plans/{plan_id}/import")
    def import_rules(
        self,
        plan_id: str,
        *,
        csv: str,
        dry_run: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.RuleImport:
        """Add the rules of a CSV file, all or none. It is a dry run unless `dry_run` is False."""
        ...

    @post("/v1/commission-plans/{plan_id}/explain")
    def explain(
        self,
        plan_id: str,
        *,
        merchant: str,
        currency: str,
        lines: Sequence[SaleLine],
        shipping_minor: int | None = None,
        channel: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.ExplainedSale:
        """Ask what a sale would pay under this plan now, and why. Nothing is written."""
        ...

    @post("/v1/commission-plans/{plan_id}/what-if")
    def what_if(
        self,
        plan_id: str,
        *,
        rules: Sequence[DraftRule] | None = None,
        merchant: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> models.WhatIf:
        """Price past orders again, under this plan or under rules to try. Nothing is written."""
        ...


class CommissionRules(Resource[Mode]):
    """Single rules of plans."""

    @post("/v1/commission-rules/{rule_id}/replace")
    def replace(
        self,
        rule_id: str,
        *,
        rate_bps: int,
        fixed_minor: int | None = None,
        floor_minor: int | None = None,
        cap_minor: int | None = None,
        base: str | None = None,
        tax_bps: int | None = None,
        parties: Sequence[PartyShare] | None = None,
        tiers: Sequence[Tier] | None = None,
        effective_from: datetime | None = None,
        effective_to: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> models.CommissionRule:
        """End a rule and start its next version at the same instant."""
        ...

    @post("/v1/commission-rules/{rule_id}/end")
    def end(
        self,
        rule_id: str,
        *,
        effective_to: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> models.CommissionRule:
        """End a rule. Orders created before keep their terms."""
        ...
