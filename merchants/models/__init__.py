"""Who is paid and by which terms: columns and constraints only; the files are named by content."""

from merchants.models.accounts import ApiKey, BankAccount, KeyMode
from merchants.models.commission import BaseChoice, CommissionPlan, CommissionRule
from merchants.models.people import DAY, HOUR, Language, Merchant, Platform, User

__all__ = [
    "DAY",
    "HOUR",
    "ApiKey",
    "BankAccount",
    "BaseChoice",
    "CommissionPlan",
    "CommissionRule",
    "KeyMode",
    "Language",
    "Merchant",
    "Platform",
    "User",
]
