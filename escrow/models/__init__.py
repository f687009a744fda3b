"""Station 2: what we hold, release and refund."""

from escrow.models.bank_refunds import OVER, BankOutcome, BankRefund, BankRefundState
from escrow.models.clawbacks import Debt, DebtState, DebtStep, DebtStepKind, Deduction
from escrow.models.corrections import Correction, CorrectionState
from escrow.models.debit_requests import DebitRequest, DebitRequestState
from escrow.models.disputes import (
    CLOSED,
    MAX_TEXT,
    Actor,
    Dispute,
    DisputeKind,
    DisputeLine,
    DisputeReason,
    DisputeState,
    Resolution,
    SellerAnswer,
    WaitsFor,
)
from escrow.models.freezes import Freeze, FreezeKind, FreezeState
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
from escrow.models.reserves import ReserveSlice, ReserveState, ReserveTaking
from escrow.models.timelines import (
    MAX_FILE_BYTES,
    MAX_FILES_PER_SIDE,
    DisputeStep,
    Evidence,
    MediaType,
    StepKind,
)

__all__ = [
    "CLOSED",
    "MAX_FILES_PER_SIDE",
    "MAX_FILE_BYTES",
    "MAX_TEXT",
    "OVER",
    "Actor",
    "BankOutcome",
    "BankRefund",
    "BankRefundState",
    "Correction",
    "CorrectionState",
    "DebitRequest",
    "DebitRequestState",
    "Debt",
    "DebtState",
    "DebtStep",
    "DebtStepKind",
    "Deduction",
    "Dispute",
    "DisputeKind",
    "DisputeLine",
    "DisputeReason",
    "DisputeState",
    "DisputeStep",
    "Evidence",
    "Freeze",
    "FreezeKind",
    "FreezeState",
    "Hold",
    "HoldShare",
    "HoldState",
    "MediaType",
    "Payee",
    "Refund",
    "RefundLine",
    "RefundShare",
    "RefundState",
    "Release",
    "ReleaseLine",
    "Remittance",
    "ReserveSlice",
    "ReserveState",
    "ReserveTaking",
    "Resolution",
    "SellerAnswer",
    "StepKind",
    "Surplus",
    "SurplusReason",
    "WaitsFor",
]
