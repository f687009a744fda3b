"""Every draft of a journal entry sums to zero and goes only where its kind may go (H1)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import MAX_AMOUNT_MINOR
from ledger import chart, entries, manual_entries, reserve_entries

AMOUNTS = st.one_of(st.integers(1, 5), st.integers(1, MAX_AMOUNT_MINOR))
MONEY = {"amount_minor": AMOUNTS, "currency": st.sampled_from(["CNY", "JPY", "KWD"])}
PAYABLES = st.sampled_from(
    [chart.merchant_payable("mer_1"), chart.platform_commission("plt_1"), "party:par_1:payable"]
)
RECEIVABLES = PAYABLES.map(chart.receivable_of)
STEP = {"step_id": st.just("dbs_1"), "debt_id": st.just("dbt_1")}
SHARES = st.lists(
    st.builds(entries.Leg, st.one_of(PAYABLES, st.just(chart.SERVICE_FEE)), AMOUNTS),
    min_size=1,
    max_size=5,
)


@st.composite
def remittances(draw: st.DrawFn) -> entries.Draft:
    gross = draw(AMOUNTS)
    fee = draw(st.integers(0, gross - 1))
    return entries.remittance(
        remittance_id="sandbox:SBM1",
        channel="sandbox",
        custodian="bank",
        gross_minor=gross,
        fee_minor=fee,
        currency="CNY",
    )


BY_BANK = {"bank_refund_id": st.just("brf_1"), "subject": st.just("ord_1")}
DRAFTS: dict[entries.EntryKind, st.SearchStrategy[entries.Draft]] = {
    entries.EntryKind.CAPTURE: st.builds(
        entries.capture,
        payment_id=st.just("pay_1"),
        order_id=st.just("ord_1"),
        channel=st.just("sandbox"),
        **MONEY,
    ),
    entries.EntryKind.SURPLUS: st.builds(
        entries.surplus, surplus_id=st.just("sur_1"), channel=st.just("sandbox"), **MONEY
    ),
    entries.EntryKind.REMITTANCE: remittances(),
    entries.EntryKind.RELEASE: st.builds(
        entries.release,
        release_id=st.just("rel_1"),
        order_id=st.just("ord_1"),
        currency=st.just("CNY"),
        shares=SHARES,
    ),
    entries.EntryKind.CLAWBACK: st.builds(
        entries.clawback,
        cause_id=st.just("ref_1"),
        order_id=st.just("ord_1"),
        currency=st.just("CNY"),
        taken=SHARES,
    ),
    entries.EntryKind.CLAWBACK_RESERVE: st.builds(
        reserve_entries.clawback_reserve,
        taking_id=st.just("rst_1"),
        order_id=st.just("ord_1"),
        merchant_id=st.just("mer_1"),
        **MONEY,
    ),
    entries.EntryKind.RESERVE_FREED: st.builds(
        reserve_entries.reserve_freed,
        slice_id=st.just("rsv_1"),
        merchant_id=st.just("mer_1"),
        **MONEY,
    ),
    entries.EntryKind.CLAWBACK_DEBT: st.builds(
        entries.clawback_debt,
        debt_id=st.just("dbt_1"),
        order_id=st.just("ord_1"),
        receivable=RECEIVABLES,
        **MONEY,
    ),
    entries.EntryKind.DEBT_NETTED: st.builds(
        entries.debt_netted, payable=PAYABLES, receivable=RECEIVABLES, **STEP, **MONEY
    ),
    entries.EntryKind.DEBT_REPAID: st.builds(
        entries.debt_repaid, custodian=st.just("bank"), receivable=RECEIVABLES, **STEP, **MONEY
    ),
    entries.EntryKind.DEBT_GUARANTEED: st.builds(
        entries.debt_guaranteed,
        platform_id=st.just("plt_1"),
        receivable=st.just("merchant:mer_1:receivable"),
        **STEP,
        **MONEY,
    ),
    entries.EntryKind.DEBT_WRITTEN_OFF: st.builds(
        entries.debt_written_off, receivable=RECEIVABLES, **STEP, **MONEY
    ),
    entries.EntryKind.CHARGEBACK: st.builds(
        entries.chargeback,
        dispute_id=st.just("dsp_1"),
        order_id=st.just("ord_1"),
        channel=st.just("sandbox"),
        **MONEY,
    ),
    entries.EntryKind.REFUND_ASKED: st.builds(
        entries.refund_asked,
        refund_id=st.just("ref_1"),
        order_id=st.just("ord_1"),
        channel=st.just("sandbox"),
        **MONEY,
    ),
    entries.EntryKind.SURPLUS_REFUND_ASKED: st.builds(
        entries.surplus_refund_asked,
        refund_id=st.just("ref_1"),
        surplus_id=st.just("sur_1"),
        channel=st.just("sandbox"),
        **MONEY,
    ),
    entries.EntryKind.REFUND_DONE: st.builds(
        entries.refund_done,
        refund_id=st.just("ref_1"),
        subject=st.just("ord_1"),
        channel=st.just("sandbox"),
        **MONEY,
    ),
    entries.EntryKind.REFUND_REROUTED: st.builds(
        entries.refund_rerouted,
        **BY_BANK,
        channel=st.just("sandbox"),
        rail=st.just("sandbox-bank"),
        **MONEY,
    ),
    entries.EntryKind.REFUND_PAID: st.builds(
        entries.refund_paid,
        **BY_BANK,
        rail=st.just("sandbox-bank"),
        custodian=st.just("sandbox-bank"),
        **MONEY,
    ),
    entries.EntryKind.REFUND_DOUBLED: st.builds(
        entries.refund_doubled, **BY_BANK, channel=st.just("sandbox"), **MONEY
    ),
    entries.EntryKind.PAYOUT_SENT: st.builds(
        entries.payout_sent,
        payout_id=st.just("po_1"),
        payable=PAYABLES,
        rail=st.just("bank"),
        **MONEY,
    ),
    entries.EntryKind.PAYOUT_PAID: st.builds(
        entries.payout_paid,
        payout_id=st.just("po_1"),
        rail=st.just("bank"),
        custodian=st.just("bank"),
        **MONEY,
    ),
    entries.EntryKind.TOPUP: st.builds(
        entries.topup, topup_id=st.just("top_1"), custodian=st.just("bank"), **MONEY
    ),
    entries.EntryKind.CORRECTION: st.builds(
        manual_entries.correction,
        correction_id=st.just("cor_1"),
        debit_address=st.sampled_from(["reserve:bank", "loss:writeoff", "unidentified:bank"]),
        credit_address=st.just("channel:sandbox:receivable"),
        **MONEY,
    ),
}
ANY_DRAFT = st.one_of(*DRAFTS.values())


def test_every_kind_of_entry_is_tried_here() -> None:
    assert set(DRAFTS) == set(entries.EntryKind) == set(entries.ROUTES)


@given(ANY_DRAFT)
def test_draft_sums_to_zero_without_zero_legs(draft: entries.Draft) -> None:
    amounts = [leg.amount_minor for leg in draft.legs]

    assert sum(amounts) == 0
    assert 0 not in amounts
    assert len(amounts) >= 2


@given(ANY_DRAFT)
def test_draft_uses_only_the_routes_of_its_kind(draft: entries.Draft) -> None:
    used = {
        (chart.class_of(leg.address).code, "D" if leg.amount_minor > 0 else "C")
        for leg in draft.legs
    }

    assert used <= entries.ROUTES[draft.kind]


@given(ANY_DRAFT)
def test_draft_is_named_after_its_kind_and_fact(draft: entries.Draft) -> None:
    kind, _, fact = draft.reference.partition(":")

    assert kind == draft.kind
    assert fact
    assert draft.subject


@pytest.mark.parametrize("make", [entries.capture, entries.refund_asked])
@given(amount=AMOUNTS)
def test_order_drafts_have_the_order_as_subject(
    make: Callable[..., entries.Draft], amount: int
) -> None:
    fact = "payment_id" if make is entries.capture else "refund_id"

    draft = make(
        **{fact: "x_1"}, order_id="ord_1", channel="sandbox", amount_minor=amount, currency="CNY"
    )

    assert draft.subject == "ord_1"
    assert {leg.address for leg in draft.legs} >= {chart.HELD}
