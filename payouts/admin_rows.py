"""How the operators' pages show a payout, a schedule and what two persons decide about them.

It must never change a row."""

from collections.abc import Sequence
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from escrow.models import Deduction
from escrow.reserve_statement import ReserveStatement
from ledger import admin_panels as panels
from merchants.admin_show import state_badge
from payouts.models import Cadence, Payout, PayoutSchedule, PayoutState, Settlement

TONES: dict[str, str] = {
    PayoutState.PENDING: "warning",
    PayoutState.APPROVED: "info",
    PayoutState.SENDING: "info",
    PayoutState.PAID: "success",
    PayoutState.FAILED: "danger",
    PayoutState.UNKNOWN: "warning",
    PayoutState.RETURNED: "danger",
}


LINE_KINDS = {"SALE": _("Sale"), "RESERVE_FREED": _("Freed of the rolling reserve")}


def payee(row: Any) -> str:
    """Who is paid: a seller, a further party, or the platform itself."""
    return str((row.merchant or row.party or row.platform).name)


def payouts(rows: Any) -> panels.Table:
    return panels.Table(
        title=_("Payouts"),
        headings=[_("Payout"), _("State"), _("Created"), _("Paid at"), _("Amount")],
        numbers=[4],
        rows=[
            [
                panels.link("payouts_payout", payout.pk, short(payout.pk)),
                state_badge(payout, TONES),
                panels.instant(payout.created_at),
                panels.instant(payout.paid_at),
                panels.money(payout.amount_minor, payout.currency),
            ]
            for payout in rows
        ],
    )


def deductions(row: Settlement, found: Sequence[Deduction]) -> list[panels.Table]:
    """What a statement takes off for refunds and debts, and what is left; nothing, if nothing is
    taken off."""
    if not found:
        return []
    return [
        panels.Table(
            title=_("Deductions"),
            headings=[_("Order"), _("Cause"), _("Debt"), _("Taken at"), _("Amount")],
            numbers=[4],
            rows=[
                [
                    panels.mono(short(each.order_id or "")),
                    _cause(each),
                    _debt(each),
                    panels.instant(each.taken_at),
                    panels.money(-each.amount_minor, row.currency),
                ]
                for each in found
            ],
            total=[_("To be paid"), "", "", "", panels.money(row.amount_minor, row.currency)],
        )
    ]


def reserve(row: Settlement, found: ReserveStatement | None) -> list[panels.Facts]:
    """What the seller's rolling reserve did since the statement before, if it has one."""
    if found is None:
        return []
    facts = (
        (_("Held back before"), found.opening_minor),
        (_("Held back of releases"), found.kept_minor),
        (_("Freed"), -found.freed_minor),
        (_("Taken for claw-backs"), -found.taken_minor),
        (_("Held back now"), found.closing_minor),
    )
    shown = [(label, panels.money(amount, row.currency)) for label, amount in facts]
    return [panels.Facts(title=_("Rolling reserve"), facts=shown, side=True)]


def _cause(deduction: Deduction) -> Any:
    if deduction.refund_id is not None:
        return panels.link("escrow_refund", deduction.refund_id, short(deduction.refund_id))
    return panels.link("escrow_dispute", deduction.dispute_id, short(deduction.dispute_id or ""))


def _debt(deduction: Deduction) -> Any:
    if deduction.step is None:
        return panels.NOTHING
    return panels.link("escrow_debt", deduction.step.debt_id, short(deduction.step.debt_id))


def short(key: str) -> str:
    """Enough of an id to tell rows of a page apart."""
    prefix, _separator, rest = key.partition("_")
    return f"{prefix}_…{rest[-8:]}"


def own_request() -> str:
    return _now("You asked for this payout; another operator has to approve it.")


def own_claim() -> str:
    return _now("You said so yourself; another operator has to confirm it.")


def asked(payout: Payout) -> list[tuple[Any, Any]]:
    return [
        (_("Payee"), payee(payout)),
        (_("Amount"), panels.money(payout.amount_minor, payout.currency)),
        (_("To account"), f"{payout.holder_name} •••• {payout.last_four}"),
        (_("State"), state_badge(payout, TONES)),
        (_("Asked for by"), payout.requested_by or _("the schedule")),
    ]


def claimed(payout: Payout) -> list[tuple[Any, Any]]:
    return [
        (_("First person"), payout.claimed_by or panels.NOTHING),
        (_("Says"), payout.get_claimed_outcome_display() or panels.NOTHING),
        (_("Evidence"), payout.evidence or panels.NOTHING),
    ]


def decision(payout: Payout) -> panels.Facts:
    facts = [
        *asked(payout),
        (_("Needs approval"), _("yes") if payout.needs_approval else _("no")),
        (_("Approved by"), payout.approved_by or panels.NOTHING),
        (_("Approved at"), panels.instant(payout.approved_at)),
    ]
    if payout.claimed_outcome:
        facts += [
            *claimed(payout),
            (_("Second person"), payout.outcome_confirmed_by or panels.NOTHING),
        ]
    return panels.Facts(title=_("Who decides"), facts=facts)


def payout_facts(payout: Payout) -> panels.Facts:
    settlement = panels.link(
        "payouts_settlement", payout.settlement_id, short(payout.settlement_id)
    )
    return panels.Facts(
        title=_("Payout"),
        facts=[
            (_("Id"), panels.mono(payout.pk)),
            (_("Settlement"), settlement),
            (_("Platform"), payout.platform.name),
            (_("Rail"), payout.rail),
            (_("Their reference"), panels.mono(payout.provider_reference)),
            (_("Created"), panels.instant(payout.created_at)),
            (_("Sent at"), panels.instant(payout.last_sent_at)),
            (_("Paid at"), panels.instant(payout.paid_at)),
            (_("Returned at"), panels.instant(payout.returned_at)),
            (_("Parked at"), panels.instant(payout.parked_at)),
            (_("Attempts"), payout.attempts),
            (_("Failure"), payout.failure_code or panels.NOTHING),
            (_("Their words"), payout.failure_message or panels.NOTHING),
        ],
        side=True,
    )


def changes(row: PayoutSchedule) -> panels.Steps:
    """Who changed the schedule and why."""
    cadences = dict(Cadence.choices)
    steps = []
    kept_rows: Any = row.audit  # type: ignore[attr-defined]  # made by pghistory
    for kept in kept_rows.order_by("pgh_id")[:100]:
        facts = kept.pgh_context or {}
        limit = amount(row, kept.approval_above_minor)
        said = [part for part in (facts.get("actor"), facts.get("reason")) if part]
        note = " · ".join([*said, f"{_now('Approval above')}: {limit}"])
        steps.append(panels.Step(cadences[kept.cadence], kept.pgh_created_at, note))
    return panels.Steps(_("Who and why"), steps)


def weekday(row: PayoutSchedule) -> Any:
    return WEEKDAYS[row.weekday] if row.cadence == Cadence.WEEKLY else panels.NOTHING


def amount(row: PayoutSchedule, amount_minor: int | None) -> Any:
    """A schedule is for all currencies; its amounts are told in the platform's own."""
    return panels.money(amount_minor, row.platform.currency)
