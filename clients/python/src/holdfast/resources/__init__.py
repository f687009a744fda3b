"""The operations of the API, resource by resource."""

from holdfast.resources.disputes import BuyerDisputes, Disputes
from holdfast.resources.merchants import (
    BankAccounts,
    CommissionPlans,
    CommissionRules,
    Merchants,
    Parties,
)
from holdfast.resources.money import (
    Balances,
    Debts,
    Holds,
    Payouts,
    Refunds,
    Releases,
    Settlements,
)
from holdfast.resources.orders import Orders, Payments
from holdfast.resources.sandbox import Sandbox
from holdfast.resources.webhooks import Deliveries, Events, WebhookEndpoints

__all__ = [
    "Balances",
    "BankAccounts",
    "BuyerDisputes",
    "CommissionPlans",
    "CommissionRules",
    "Debts",
    "Deliveries",
    "Disputes",
    "Events",
    "Holds",
    "Merchants",
    "Orders",
    "Parties",
    "Payments",
    "Payouts",
    "Refunds",
    "Releases",
    "Sandbox",
    "Settlements",
    "WebhookEndpoints",
]
