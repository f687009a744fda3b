"""The database's own refusals that Django's constraints cannot express.

Services refuse first and in words; a refusal from here means that somebody went around them.
"""

import pgtrigger

_OVERLAP = """
    PERFORM 1 FROM merchants_commissionplan WHERE id = NEW.plan_id FOR NO KEY UPDATE;
    IF NEW.effective_to = NEW.effective_from THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT 1 FROM merchants_commissionrule AS other
        WHERE other.plan_id = NEW.plan_id
          AND other.id <> NEW.id
          AND other.currency = NEW.currency
          AND other.priority = NEW.priority
          AND other.merchant_id IS NOT DISTINCT FROM NEW.merchant_id
          AND other.category = NEW.category
          AND other.channel = NEW.channel
          AND (coalesce(other.min_order_minor, other.max_order_minor) IS NULL)
              = (coalesce(NEW.min_order_minor, NEW.max_order_minor) IS NULL)
          AND (NEW.max_order_minor IS NULL
               OR coalesce(other.min_order_minor, 0) <= NEW.max_order_minor)
          AND (other.max_order_minor IS NULL
               OR coalesce(NEW.min_order_minor, 0) <= other.max_order_minor)
          AND (other.effective_to IS NULL
               OR other.effective_to > GREATEST(other.effective_from, NEW.effective_from))
          AND (NEW.effective_to IS NULL OR NEW.effective_to > other.effective_from)
    ) THEN
        RAISE EXCEPTION 'commission_rule_overlap' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
"""

_LIVE_SIDE = """
    IF NEW.live_platform_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM merchants_platform WHERE id = NEW.live_platform_id AND mode = 'LIVE'
    ) THEN
        RAISE EXCEPTION 'the live side of a platform is a live platform'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'platform_live_side_is_live';
    END IF;
    RETURN NEW;
"""


def refuse_overlap() -> pgtrigger.Trigger:
    """Refuse a rule that ties with another one, also for raw SQL.

    An exclusion constraint would need btree_gist, which the embedded PostgreSQL lacks.

    Locks: the plan, so that two writers queue; the check after it (READ COMMITTED) sees the other.
    """
    return pgtrigger.Trigger(
        name="rule_overlap",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=_OVERLAP,
    )


def clock_forward() -> pgtrigger.Trigger:
    """Refuse to turn a platform's clock back: its rows would lie in the future."""
    return pgtrigger.Protect(
        name="platform_clock_forward",
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__clock_offset__lt=pgtrigger.F("old__clock_offset")),
    )


def live_side_is_live() -> pgtrigger.Trigger:
    """Refuse a live side that is itself a platform in test mode. A mode never changes."""
    return pgtrigger.Trigger(
        name="platform_live_side_is_live",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=_LIVE_SIDE,
    )
