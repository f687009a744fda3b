"""The kinds of entries, and which accounts each may touch. Pure; the database holds the same list
(`ledger_route`), so an entry by another route is refused there too.
"""

from enum import StrEnum

from ledger import chart


class EntryKind(StrEnum):
    CAPTURE = "capture"
    SURPLUS = "surplus"
    REMITTANCE = "remittance"
    RELEASE = "release"
    REFUND_ASKED = "refund-asked"
    SURPLUS_REFUND_ASKED = "surplus-refund-asked"
    REFUND_DONE = "refund-done"
    REFUND_REROUTED = "refund-rerouted"
    REFUND_PAID = "refund-paid"
    REFUND_DOUBLED = "refund-doubled"
    CHARGEBACK = "chargeback"
    PAYOUT_SENT = "payout-sent"
    PAYOUT_PAID = "payout-paid"
    CLAWBACK = "clawback"
    CLAWBACK_RESERVE = "clawback-reserve"
    CLAWBACK_DEBT = "clawback-debt"
    DEBT_NETTED = "debt-netted"
    DEBT_REPAID = "debt-repaid"
    DEBT_GUARANTEED = "debt-guaranteed"
    DEBT_WRITTEN_OFF = "debt-written-off"
    RESERVE_FREED = "reserve-freed"
    TOPUP = "topup"
    CORRECTION = "correction"


D, C = "D", "C"

# kind -> the (account class, side) pairs an entry of this kind may touch. This is the pool-proof
# rule: no kind but `release` can credit a platform or our fee, and `release` can only be paid from
# `held`. A claw-back is its way back: it debits what a release credited, and credits `held` alone.
ROUTES: dict[EntryKind, frozenset[tuple[str, str]]] = {
    EntryKind.CAPTURE: frozenset({("channel_receivable", D), ("held", C)}),
    EntryKind.SURPLUS: frozenset({("channel_receivable", D), ("surplus", C)}),
    EntryKind.REMITTANCE: frozenset(
        {("reserve", D), ("channel_fee", D), ("channel_receivable", C)}
    ),
    EntryKind.RELEASE: frozenset(
        {
            ("held", D),
            *((code, C) for code in chart.PAYABLES),
            ("merchant_reserve", C),
            ("service_fee", C),
        }
    ),
    EntryKind.REFUND_ASKED: frozenset({("held", D), ("refund_in_transit", C)}),
    EntryKind.SURPLUS_REFUND_ASKED: frozenset({("surplus", D), ("refund_in_transit", C)}),
    EntryKind.REFUND_DONE: frozenset({("refund_in_transit", D), ("channel_receivable", C)}),
    EntryKind.REFUND_REROUTED: frozenset({("refund_in_transit", D), ("refund_in_transit", C)}),
    EntryKind.REFUND_PAID: frozenset({("refund_in_transit", D), ("reserve", C)}),
    EntryKind.REFUND_DOUBLED: frozenset({("loss_writeoff", D), ("channel_receivable", C)}),
    EntryKind.CHARGEBACK: frozenset({("held", D), ("channel_receivable", C)}),
    EntryKind.PAYOUT_SENT: frozenset(
        {
            *((code, D) for code in chart.PAYABLES),
            ("payout_in_transit", C),
        }
    ),
    EntryKind.PAYOUT_PAID: frozenset({("payout_in_transit", D), ("reserve", C)}),
    EntryKind.CLAWBACK: frozenset(
        {
            *((code, D) for code in chart.PAYABLES),
            ("service_fee", D),
            ("held", C),
        }
    ),
    EntryKind.CLAWBACK_RESERVE: frozenset({("merchant_reserve", D), ("held", C)}),
    EntryKind.CLAWBACK_DEBT: frozenset({*((code, D) for code in chart.RECEIVABLES), ("held", C)}),
    EntryKind.DEBT_NETTED: frozenset(
        {
            *((code, D) for code in chart.PAYABLES),
            *((code, C) for code in chart.RECEIVABLES),
        }
    ),
    EntryKind.DEBT_REPAID: frozenset({("reserve", D), *((code, C) for code in chart.RECEIVABLES)}),
    EntryKind.DEBT_GUARANTEED: frozenset({("platform_commission", D), ("merchant_receivable", C)}),
    EntryKind.DEBT_WRITTEN_OFF: frozenset(
        {("loss_writeoff", D), *((code, C) for code in chart.RECEIVABLES)}
    ),
    EntryKind.RESERVE_FREED: frozenset({("merchant_reserve", D), ("merchant_payable", C)}),
    EntryKind.TOPUP: frozenset({("reserve", D), ("own_topup", C)}),
    # By hand: what the bank or a channel did that no other entry says. It can only make the
    # operator poorer, and reaches no money of a buyer, seller, party or platform.
    EntryKind.CORRECTION: frozenset(
        {
            *((code, D) for code in ("reserve", "channel_receivable", "channel_fee")),
            *((code, D) for code in ("loss_writeoff", "unidentified")),
            *((code, C) for code in ("reserve", "channel_receivable", "unidentified")),
        }
    ),
}
