"""Sellers, their bank accounts, and commission."""

from dataclasses import dataclass
from datetime import datetime

from holdfast._decode import Answer


@dataclass(frozen=True, kw_only=True)
class Merchant(Answer):
    """A seller on your platform."""

    id: str
    reference: str  # your own name for it
    name: str
    email: str  # may be empty
    language: str  # en or zh-hans
    time_zone: str  # of dates in mails; empty: the platform's
    active: bool  # whether new orders may name it
    reserve_bps: int | None  # held back of each release; None: as the plan says
    reserve_days: int | None  # for so many days
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Onboarding(Answer):
    """How far a seller is from being paid."""

    status: str  # pending, ready or suspended
    missing: tuple[str, ...]  # codes of what is missing


@dataclass(frozen=True, kw_only=True)
class MerchantDetail(Merchant):
    """A seller with how far the onboarding has come."""

    onboarding: Onboarding


@dataclass(frozen=True, kw_only=True)
class BankAccount(Answer):
    """Where a payee is paid. The number itself is never answered."""

    id: str
    payee: str  # MERCHANT, PARTY or PLATFORM
    merchant: str | None
    party: str | None
    currency: str
    holder_name: str
    bank_code: str
    bank_name: str  # may be empty
    last_four: str
    active: bool
    status: str  # WAITING, IN_FORCE, REPLACED or CANCELED
    effective_at: datetime  # when payouts go there, or went; of a canceled one: were to go
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Party(Answer):
    """A further party: somebody a rule may give a part of a sale."""

    id: str
    reference: str  # your own name for the party
    name: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class PartyShare(Answer):
    """What a rule gives a further party of its base."""

    party: str
    name: str
    rate_bps: int
    fixed_minor: int


@dataclass(frozen=True, kw_only=True)
class Tier(Answer):
    """The rate of the whole order once a seller has sold `from_minor` of goods in 30 days."""

    from_minor: int
    rate_bps: int


@dataclass(frozen=True, kw_only=True)
class PartyPart(Answer):
    """What a further party gets of an order."""

    party: str
    name: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class CommissionRule(Answer):
    """What the platform takes of a sale. Never edited: another rate is another rule."""

    id: str
    priority: int  # the higher one wins
    merchant: str | None  # only for this seller
    category: str | None  # only for this category
    channel: str | None  # only for orders paid through this channel
    min_order_minor: int | None
    max_order_minor: int | None
    currency: str
    rate_bps: int  # basis points: 500 is 5 %
    fixed_minor: int
    floor_minor: int | None
    cap_minor: int | None
    base: str  # GOODS or GOODS_AND_SHIPPING
    tax_bps: int  # of the commission
    parties: tuple[PartyShare, ...]
    tiers: tuple[Tier, ...]
    effective_from: datetime
    effective_to: datetime | None


@dataclass(frozen=True, kw_only=True)
class CommissionPlan(Answer):
    """A list of commission rules; at most one of a platform is in force."""

    id: str
    name: str
    active: bool
    commission_returned_bps: int  # to the seller, when an order is refunded; 10000: whole
    service_fee_returned_bps: int
    party_returned_bps: int
    channel_fee_bps: int  # what the payment channel keeps of an order, inside the service fee
    channel_fee_returned_bps: int
    reserve_bps: int  # held back of each release of a seller; 0: nothing
    reserve_days: int  # for so many days
    required_reserve_bps: int  # what the operator wants held back at least
    required_reserve_days: int
    guarantee_days: int | None  # after which your commission pays sellers' debts
    created_at: datetime
    rules: tuple[CommissionRule, ...]  # ended ones too


@dataclass(frozen=True, kw_only=True)
class RowError(Answer):
    """What is wrong in a file of rules, and where."""

    line: int  # counted from 1
    column: str | None
    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class RuleImport(Answer):
    """What a file of rules would add, or has added."""

    applied: bool
    count: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, kw_only=True)
class Remark(Answer):
    """One step of how a split comes about."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ExplainedSale(Answer):
    """What a sale would pay, and why. Minor units of the sale's currency."""

    amount_minor: int
    commission_minor: int
    tax_minor: int  # on the commission, to the platform too
    parties: tuple[PartyPart, ...]
    service_fee_minor: int
    seller_minor: int
    explanation: tuple[Remark, ...]


@dataclass(frozen=True, kw_only=True)
class RepricedOrder(Answer):
    """A past order, priced again."""

    order: str
    currency: str
    amount_minor: int
    old_commission_minor: int
    new_commission_minor: int
    difference_minor: int  # new less old; may be negative


@dataclass(frozen=True, kw_only=True)
class RepricedTotal(Answer):
    """The sum over past orders of one currency."""

    currency: str
    orders: int
    amount_minor: int
    old_commission_minor: int
    new_commission_minor: int
    old_seller_minor: int
    new_seller_minor: int


@dataclass(frozen=True, kw_only=True)
class WhatIf(Answer):
    """Past orders priced again; nothing is changed."""

    orders: tuple[RepricedOrder, ...]
    totals: tuple[RepricedTotal, ...]
