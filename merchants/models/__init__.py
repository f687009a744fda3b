"""Who is paid and by which terms: columns and constraints only; the files are named by content."""

from merchants.models.accounts import ApiKey, BankAccount, BankAccountState
from merchants.models.branding import Branding
from merchants.models.commission import BaseChoice, CommissionPlan, CommissionRule
from merchants.models.invitations import Invitation
from merchants.models.parties import Party
from merchants.models.payees import (
    PayeeKind,
    address_of,
    kind_of,
    payee_check,
    payee_field,
)
from merchants.models.people import (
    COOLOFF_HOURS,
    DAY,
    HOUR,
    MAX_CLOCK_OFFSET,
    MAX_COOLOFF_HOURS,
    Language,
    Merchant,
    Mode,
    Platform,
    Role,
    User,
)
from merchants.models.proposals import Proposal, ProposalState, ProposalVerb

__all__ = [
    "COOLOFF_HOURS",
    "DAY",
    "HOUR",
    "MAX_CLOCK_OFFSET",
    "MAX_COOLOFF_HOURS",
    "ApiKey",
    "BankAccount",
    "BankAccountState",
    "BaseChoice",
    "Branding",
    "CommissionPlan",
    "CommissionRule",
    "Invitation",
    "Language",
    "Merchant",
    "Mode",
    "Party",
    "PayeeKind",
    "Platform",
    "Proposal",
    "ProposalState",
    "ProposalVerb",
    "Role",
    "User",
    "address_of",
    "kind_of",
    "payee_check",
    "payee_field",
]
