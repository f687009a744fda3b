"""Every account address that can exist. Pure; the database holds the same list
(`ledger_accountclass`)."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Where an account's balance normally lies: assets and expenses grow by debits, the rest by
    credits."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class Kind(StrEnum):
    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"
    EQUITY = "EQUITY"


@dataclass(frozen=True, slots=True)
class AccountClass:
    """A family of accounts. `guarded` accounts keep a running balance that the database holds at
    >= 0."""

    code: str
    pattern: str  # POSIX and Python regular expression of the whole address
    kind: Kind
    guarded: bool
    customers: bool  # True: money owed to buyers, sellers, platforms or parties
    meaning: str

    @property
    def side(self) -> Side:
        return Side.DEBIT if self.kind in (Kind.ASSET, Kind.EXPENSE) else Side.CREDIT


_NAME = "[a-z0-9_-]+"
_ID = "[a-z]+_[0-9a-z]+"

CLASSES: tuple[AccountClass, ...] = (
    AccountClass(
        "channel_receivable",
        f"^channel:{_NAME}:receivable$",
        Kind.ASSET,
        False,
        False,
        "a channel has collected it for us, it has not reached the reserve yet",
    ),
    AccountClass(
        "reserve",
        f"^reserve:{_NAME}$",
        Kind.ASSET,
        False,
        False,
        "the supervised customer-reserve account; customers' money only",
    ),
    AccountClass(
        "merchant_receivable",
        f"^merchant:{_ID}:receivable$",
        Kind.ASSET,
        False,
        False,
        "a seller owes us after a claw-back",
    ),
    AccountClass(
        "platform_receivable",
        f"^platform:{_ID}:receivable$",
        Kind.ASSET,
        False,
        False,
        "a shopping platform owes us commission of a refunded order",
    ),
    AccountClass(
        "party_receivable",
        f"^party:{_ID}:receivable$",
        Kind.ASSET,
        False,
        False,
        "a further party owes us its part of a refunded order",
    ),
    AccountClass(
        "held",
        "^held$",
        Kind.LIABILITY,
        False,
        True,
        "paid by a buyer, not yet released; by order through the entry's subject",
    ),
    AccountClass(
        "merchant_payable",
        f"^merchant:{_ID}:payable$",
        Kind.LIABILITY,
        True,
        True,
        "released to a seller, not yet paid out",
    ),
    AccountClass(
        "merchant_reserve",
        f"^merchant:{_ID}:reserve$",
        Kind.LIABILITY,
        True,
        True,
        "held back of a seller's releases for some days; the rolling reserve",
    ),
    AccountClass(
        "platform_commission",
        f"^platform:{_ID}:commission$",
        Kind.LIABILITY,
        True,
        True,
        "released to the shopping platform, not yet paid out",
    ),
    AccountClass(
        "party_payable",
        f"^party:{_ID}:payable$",
        Kind.LIABILITY,
        True,
        True,
        "released to a further party of a split",
    ),
    AccountClass(
        "payout_in_transit",
        f"^payout:{_NAME}:in_transit$",
        Kind.LIABILITY,
        False,
        True,
        "sent to the bank, not yet confirmed",
    ),
    AccountClass(
        "refund_in_transit",
        f"^refund:{_NAME}:in_transit$",
        Kind.LIABILITY,
        False,
        True,
        "refund asked of the channel, not yet confirmed",
    ),
    AccountClass(
        "surplus",
        f"^surplus:{_NAME}$",
        Kind.LIABILITY,
        False,
        True,
        "money received that no order is waiting for; refunded automatically",
    ),
    AccountClass(
        "unidentified",
        f"^unidentified:{_NAME}$",
        Kind.LIABILITY,
        False,
        True,
        "bank money nobody has matched yet",
    ),
    AccountClass("service_fee", "^fee:service$", Kind.INCOME, False, False, "our own service fee"),
    AccountClass(
        "channel_fee",
        f"^fee:channel:{_NAME}$",
        Kind.EXPENSE,
        False,
        False,
        "what a channel kept; made good from own funds",
    ),
    AccountClass(
        "own_topup", "^own:topup$", Kind.EQUITY, False, False, "own money put into the reserve"
    ),
    AccountClass(
        "loss_writeoff",
        "^loss:writeoff$",
        Kind.EXPENSE,
        False,
        False,
        "losses taken by the operator",
    ),
)

BY_CODE = {each.code: each for each in CLASSES}
_COMPILED = [(re.compile(each.pattern), each) for each in CLASSES]

HELD = "held"
SERVICE_FEE = "fee:service"
OWN_TOPUP = "own:topup"
WRITEOFF = "loss:writeoff"
OWN_FUNDS = ("service_fee", "own_topup", "channel_fee", "loss_writeoff")  # classes
PAYABLES = ("merchant_payable", "platform_commission", "party_payable")  # classes
RECEIVABLES = ("merchant_receivable", "platform_receivable", "party_receivable")  # classes


def class_of(address: str) -> AccountClass:
    """Find the class of an address. Raises: ValueError when the chart has no such account."""
    for pattern, account_class in _COMPILED:
        if pattern.fullmatch(address):
            return account_class
    raise ValueError(f"{address!r} is not in the chart of accounts")


def channel_receivable(channel: str) -> str:
    return f"channel:{channel}:receivable"


def reserve(custodian: str) -> str:
    return f"reserve:{custodian}"


def merchant_payable(merchant_id: str) -> str:
    return f"merchant:{merchant_id}:payable"


def merchant_reserve(merchant_id: str) -> str:
    return f"merchant:{merchant_id}:reserve"


def receivable_of(payable: str) -> str:
    """Where a payee's debt is booked, from the address of what it is owed."""
    owner, _, _ = payable.rpartition(":")
    return f"{owner}:receivable"


def reserve_of(payable: str) -> str:
    """Where a seller's rolling reserve is booked, from the address of what it is owed."""
    owner, _, _ = payable.rpartition(":")
    return f"{owner}:reserve"


def payable_of(reserve: str) -> str:
    """What a seller is owed is booked where, from the address of its rolling reserve."""
    owner, _, _ = reserve.rpartition(":")
    return f"{owner}:payable"


def platform_commission(platform_id: str) -> str:
    return f"platform:{platform_id}:commission"


def party_payable(party_id: str) -> str:
    return f"party:{party_id}:payable"


def payout_in_transit(rail: str) -> str:
    return f"payout:{rail}:in_transit"


def refund_in_transit(channel: str) -> str:
    return f"refund:{channel}:in_transit"


def surplus(channel: str) -> str:
    return f"surplus:{channel}"


def unidentified(custodian: str) -> str:
    return f"unidentified:{custodian}"


def channel_fee(channel: str) -> str:
    return f"fee:channel:{channel}"
