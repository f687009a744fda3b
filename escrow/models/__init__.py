"""Station 2: what we hold, release and refund."""

from escrow.models.clawbacks import Debt, DebtState, DebtStep, DebtStepKind, Deduction
from escrow.models.holds import Hold, HoldShare, HoldState, Payee
from escrow.models.refunds import (
    Refund,
    RefundLine,
    RefundShare,
    RefundState,
    Surplus,
    SurplusReason,
)
from escrow.models.releases import Release, ReleaseLine
from escrow.models.remittances import Remittance

__all__ = [
    "Debt",
    "DebtState",
    "DebtStep",
    "DebtStepKind",
    "Deduction",
    "Hold",
    "HoldShare",
    "HoldState",
    "Payee",
    "Refund",
    "RefundLine",
    "RefundShare",
    "RefundState",
    "Release",
    "ReleaseLine",
    "Remittance",
    "Surplus",
    "SurplusReason",
]
