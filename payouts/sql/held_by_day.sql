-- What was planned for some payees out of money still held, at the end of each day. A part is held from the hold's first
-- instant until its release; what went back to the buyer meanwhile, until it went. Holds that were closed before the
-- first day never show.
WITH own AS MATERIALIZED (
    SELECT h.id, o.id AS order_id, h.currency, h.held_at, h.closed_at
    FROM orders_order AS o JOIN escrow_hold AS h ON h.order_id = o.id
    WHERE o.platform_id = %(platform)s AND (%(merchants)s::text[] IS NULL OR o.merchant_id = ANY (%(merchants)s::text[]))
      AND h.held_at <= %(until)s AND (h.closed_at IS NULL OR h.closed_at >= %(since)s)
), part AS (
    SELECT own.currency, own.held_at, own.closed_at AS ended_at, s.amount_minor
    FROM own JOIN escrow_holdshare AS s ON s.hold_id = own.id
    WHERE s.payee = ANY (%(payees)s)
    UNION ALL
    SELECT own.currency, own.held_at, r.created_at, s.amount_minor
    FROM own JOIN escrow_refund AS r ON r.hold_id = own.id
    JOIN escrow_refundshare AS s ON s.refund_id = r.id AND s.payee = ANY (%(payees)s)
    WHERE r.created_at <= coalesce(own.closed_at, 'infinity')
    UNION ALL
    SELECT own.currency, own.held_at, d.opened_at, s.amount_minor
    FROM own JOIN escrow_dispute AS d ON d.order_id = own.order_id AND d.kind = 'CHARGEBACK'
    JOIN escrow_refundshare AS s ON s.dispute_id = d.id AND s.payee = ANY (%(payees)s)
    WHERE d.opened_at <= coalesce(own.closed_at, 'infinity')
), moved AS (
    SELECT currency, held_at AS moved_at, amount_minor FROM part
    UNION ALL
    SELECT currency, ended_at, -amount_minor FROM part WHERE ended_at <= %(until)s
), by_day AS (
    SELECT currency, greatest((moved_at AT TIME ZONE %(zone)s)::date, %(first)s - 1) AS day,
           sum(amount_minor) AS amount_minor
    FROM moved GROUP BY 1, 2
), shown AS (
    SELECT known.currency, days.day::date AS day,
           coalesce(sum(by_day.amount_minor) OVER (PARTITION BY known.currency ORDER BY days.day), 0)::bigint AS held
    FROM (SELECT DISTINCT currency FROM by_day) AS known
    CROSS JOIN generate_series(%(first)s - 1, %(last)s::timestamp, '1 day') AS days (day)
    LEFT JOIN by_day ON by_day.currency = known.currency AND by_day.day = days.day
)
SELECT currency, day, held FROM shown WHERE day >= %(first)s ORDER BY currency, day
