"""The database's own refusals about orders and parcels that constraints cannot express.

Services refuse first and in words; a refusal from here means that somebody went around them.
"""

import pgtrigger
from django.db import models

from ledger.triggers import StateGraph

# A stopped clock runs again before the order goes on: no sweep and no person confirms over it.
_NOT_PAUSED = """
    IF NEW.state <> OLD.state AND OLD.paused_at IS NOT NULL THEN
        RAISE EXCEPTION 'the clock of order % stands still: it stays %', OLD.id, OLD.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_clock';
    END IF;
"""
_PAUSED = """
    IF NEW.paused_at IS DISTINCT FROM OLD.paused_at OR NEW.paused_for <> OLD.paused_for THEN
        IF (OLD.state = 'SHIPPED' AND NEW.state = 'SHIPPED'
                AND NEW.confirm_extended_at IS NOT DISTINCT FROM OLD.confirm_extended_at
                AND CASE WHEN OLD.paused_at IS NULL
                    THEN NEW.paused_at IS NOT NULL AND NEW.paused_for = OLD.paused_for
                    ELSE NEW.paused_at IS NULL AND NEW.paused_for >= OLD.paused_for
                END
                AND NEW.confirm_by - OLD.confirm_by = NEW.paused_for - OLD.paused_for) IS NOT TRUE
        THEN
            RAISE EXCEPTION 'a clock stops and goes on while SHIPPED; confirm_by moves by the pause'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_clock';
        END IF;
        RETURN NEW;
    END IF;
"""
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
                AND NEW.{extended} IS NOT NULL AND NEW.{deadline} > OLD.{deadline}
                AND NEW.paused_at IS NULL) IS NOT TRUE
        THEN
            RAISE EXCEPTION '{deadline} may move once, later, while the order is {state}'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_extended_once';
        END IF;
    END IF;
"""


class OrderGraph(StateGraph):
    """The order's state graph, which nobody walks while the order's clock stands still.

    It stands in the graph's function, which every change of an order runs anyway: a trigger more
    would be paid for by each release.
    """

    def get_func(self, model: models.Model) -> str:
        return _NOT_PAUSED + super().get_func(model)


def deadlines_guarded() -> pgtrigger.Trigger:
    """Let a deadline move once, later, and only while the order waits for it; and besides by
    exactly the time its clock stood still.

    It is asked only by statements that name these columns: a release names none of them.
    """
    columns = [column for _, *pair in _EXTENDED for column in pair]
    return pgtrigger.Trigger(
        name="order_extended_once",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(*columns, "paused_at", "paused_for"),
        func=_PAUSED
        + "".join(
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
