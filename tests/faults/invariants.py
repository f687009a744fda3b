"""What must hold when a crashed flow has come to rest: every audit, both oracles, every event, the
same outcome.
"""

from difflib import ndiff

from django.db import connection

from escrow.models import BankRefund
from payouts.models import NOT_PAID_CODE, Payout
from tests import oracle
from tests.flows import journal
from tests.flows.market import Market
from tests.world import audit

Outcome = tuple[list[str], list[str], list[str]]

# Events are numbered from 1 without gaps, and the last number is the one the subject remembers.
_EVENTS = """
    SELECT s.id || ' has counted ' || s.event_sequence || ' events and written ' || count(e.id)
    FROM (
        SELECT id, event_sequence FROM orders_order
        UNION ALL SELECT id, event_sequence FROM orders_payment
        UNION ALL SELECT id, event_sequence FROM escrow_refund
        UNION ALL SELECT id, event_sequence FROM escrow_debt
        UNION ALL SELECT id, event_sequence FROM escrow_debitrequest
        UNION ALL SELECT id, event_sequence FROM escrow_reserveslice
        UNION ALL SELECT id, event_sequence FROM escrow_dispute
        UNION ALL SELECT id, event_sequence FROM payouts_payout
        UNION ALL SELECT id, 1 FROM escrow_surplus
    ) AS s LEFT JOIN notifications_event AS e ON e.subject_id = s.id
    GROUP BY s.id, s.event_sequence
    HAVING count(e.id) <> s.event_sequence OR coalesce(max(e.sequence), 0) <> s.event_sequence
"""
_LEFT_OVER = """
    SELECT 'event ' || type || ' was never relayed'
        FROM notifications_event WHERE relayed_at IS NULL
    UNION ALL SELECT 'notification ' || subject || ' is ' || state || ': ' || note
        FROM channels_inboundnotification WHERE state <> 'APPLIED'
    UNION ALL SELECT 'payout ' || id || ' is still parked'
        FROM payouts_payout WHERE parked_at IS NOT NULL
    UNION ALL SELECT 'dispute ' || id || ' is still ' || state
        FROM escrow_dispute WHERE state NOT IN ('RESOLVED', 'WITHDRAWN')
    UNION ALL SELECT 'the money of order ' || order_id || ' is still frozen'
        FROM escrow_hold WHERE state = 'FROZEN'
    UNION ALL SELECT 'refund ' || id || ' is ' || state
        FROM escrow_refund WHERE state <> 'SUCCEEDED'
    UNION ALL SELECT 'bank refund ' || id || ' is still ' || state
        FROM escrow_bankrefund WHERE state NOT IN ('PAID', 'FAILED', 'RETURNED', 'DROPPED')
    UNION ALL SELECT 'reserve ' || id || ' is still held'
        FROM escrow_reserveslice WHERE state = 'HELD'
    UNION ALL SELECT 'debit request ' || id || ' is still open'
        FROM escrow_debitrequest WHERE state = 'OPEN'
    UNION ALL SELECT 'debt ' || id || ' is still open' FROM escrow_debt WHERE state = 'OPEN'
"""
# Each step of a dispute follows the one before, and is there once.
_TIMELINES = """
    SELECT 'dispute ' || dispute_id || ' has ' || count(*) || ' steps, the last is ' ||
        max(position)
    FROM escrow_disputestep GROUP BY dispute_id HAVING max(position) <> count(*)
    UNION ALL
    SELECT 'dispute ' || dispute_id || ' has ' || count(*) || ' steps ' || kind
    FROM escrow_disputestep WHERE kind <> 'EVIDENCE' GROUP BY dispute_id, kind HAVING count(*) > 1
"""


def outcome_of(market: Market) -> Outcome:
    """What a flow ends in. A payout or bank refund that two persons gave up counts as if it had
    never been.
    """
    given_up = {
        number
        for rows in (Payout.objects, BankRefund.objects)
        for number in rows.filter(failure_code=NOT_PAID_CODE).values_list("id", flat=True)
        if market.forgetful
    }
    return journal.read_journal(leave_out=given_up).outcome()


def broken_rules(market: Market, *, wanted: Outcome | None) -> list[str]:
    """Returns: one sentence per rule that does not hold."""
    broken = [f"audit: {found}" for found in audit()]
    broken += [f"oracle: {found}" for found in oracle.disagreements(market)]
    with connection.cursor() as cursor:
        for query in (_EVENTS, _LEFT_OVER, _TIMELINES):
            cursor.execute(query)
            broken += [row[0] for row in cursor.fetchall()]
    if wanted is not None:
        broken += _differences(wanted, outcome_of(market))
    return broken


def _differences(wanted: Outcome, found: Outcome) -> list[str]:
    lines = ndiff(_lines(wanted), _lines(found))
    return [f"outcome: {line}" for line in lines if line[0] in "+-"]


def _lines(outcome: Outcome) -> list[str]:
    return [line for part in outcome for text in part for line in text.splitlines()]
