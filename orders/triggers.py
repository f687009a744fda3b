"""The database's own refusals about orders and parcels that constraints cannot express.

Services refuse first and in words; a refusal from here means that somebody went around them.
"""

import pgtrigger

# (state, deadline, when it was extended)
_EXTENDED = (
    ("PAID", "ship_by", "ship_extended_at"),
    ("SHIPPED", "confirm_by", "confirm_extended_at"),
)
_ONCE = """
    IF NEW.{extended} IS DISTINCT FROM OLD.{extended}
            OR OLD.state = '{state}' AND NEW.state = '{state}' AND NEW.{deadline} <> OLD.{deadline}
    THEN
        IF (OLD.state = '{state}' AND NEW.state = '{state}' AND OLD.{extended} IS NULL
                AND NEW.{extended} IS NOT NULL AND NEW.{deadline} > OLD.{deadline}) IS NOT TRUE
        THEN
            RAISE EXCEPTION '{deadline} may move once, later, while the order is {state}'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_extended_once';
        END IF;
    END IF;
"""


def extended_once() -> pgtrigger.Trigger:
    """Let a deadline move once, later, and only while the order waits for it.

    It is asked only by statements that name these columns: a release names none of them.
    """
    columns = [column for _, *pair in _EXTENDED for column in pair]
    return pgtrigger.Trigger(
        name="order_extended_once",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(*columns),
        func="".join(
            _ONCE.format(state=state, deadline=deadline, extended=extended)
            for state, deadline, extended in _EXTENDED
        )
        + "    RETURN NEW;",
    )


def corrected_once() -> pgtrigger.Trigger:
    """Let a parcel's carrier and number change once, and only while saying when."""
    return pgtrigger.Protect(
        name="shipment_corrected_once",
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__corrected_at__isnull=False)
        | pgtrigger.Q(new__corrected_at__isnull=True),
    )
