"""Builds the people a test needs. It must never build anything that has touched money."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from merchants.models import (
    BankAccount,
    BaseChoice,
    CommissionPlan,
    CommissionRule,
    Language,
    Merchant,
    Platform,
    User,
)
from payouts.services import bank_accounts

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday, 16:00 in Shanghai


class PlatformFactory(DjangoModelFactory[Platform]):
    class Meta:
        model = Platform

    name = factory.Sequence(lambda n: f"Tea House {n}")
    name_zh = factory.Sequence(lambda n: f"茶铺 {n}")
    slug = factory.Sequence(lambda n: f"tea-house-{n}")
    currency = "CNY"
    service_fee_bps = 60
    created_at = AT


class MerchantFactory(DjangoModelFactory[Merchant]):
    class Meta:
        model = Merchant

    platform = factory.SubFactory(PlatformFactory)
    reference = factory.Sequence(lambda n: f"factory-seller-{n}")  # no name of a world's seller
    name = factory.Sequence(lambda n: f"Longjing Garden {n}")
    email = factory.Sequence(lambda n: f"seller-{n}@example.com")
    language = Language.ENGLISH
    created_at = AT


class UserFactory(DjangoModelFactory[User]):
    """An operator; hand `platform` or `merchant` for staff of one."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.Sequence(lambda n: f"user-{n}@example.com")
    password = factory.django.Password("correct horse battery staple")


class BankAccountFactory(DjangoModelFactory[BankAccount]):
    """An account of `merchant`; hand merchant=None and `platform` for the platform's own."""

    class Meta:
        model = BankAccount

    merchant = factory.SubFactory(MerchantFactory)
    platform = factory.LazyAttribute(lambda wanted: wanted.merchant.platform)
    currency = "CNY"
    holder_name = "龙井园茶叶有限公司"
    bank_code = "102100099996"
    bank_name = "ICBC"
    account_number = factory.Sequence(lambda n: f"62220200{n:011d}")
    at = AT

    @classmethod
    def _create(cls, model_class: type[BankAccount], *args: Any, **kwargs: Any) -> BankAccount:
        return bank_accounts.add_bank_account(**kwargs)


class CommissionPlanFactory(DjangoModelFactory[CommissionPlan]):
    class Meta:
        model = CommissionPlan

    platform = factory.SubFactory(PlatformFactory)
    name = "Standard"
    activated_at = factory.LazyAttribute(lambda plan: AT if plan.active else None)
    active = True
    created_at = AT


class CommissionRuleFactory(DjangoModelFactory[CommissionRule]):
    """The rule of the worked example: 5 % of goods, floor 1.00, cap 50.00."""

    class Meta:
        model = CommissionRule

    plan = factory.SubFactory(CommissionPlanFactory)
    currency = "CNY"
    rate_bps = 500
    floor_minor = 100
    cap_minor = 5000
    base = BaseChoice.GOODS
    effective_from = AT - timedelta(days=30)
    created_at = AT
