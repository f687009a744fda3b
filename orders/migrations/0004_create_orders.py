"""Orders are created in one statement: order, lines and event together."""

from django.db import migrations

# The JSON of an order has a member for each column of the order, so a new column needs no change here.
CREATE_ORDER = """
CREATE OR REPLACE FUNCTION orders_create_orders(
    p_orders jsonb, p_lines jsonb, p_events jsonb, p_context_id text, p_context text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ignored text;
BEGIN
    IF p_context_id <> '' THEN
        ignored := set_config('pghistory.context_id', p_context_id, true);
        ignored := set_config('pghistory.context_metadata', p_context, true);
    END IF;
    INSERT INTO orders_order SELECT * FROM jsonb_populate_recordset(NULL::orders_order, p_orders);
    INSERT INTO orders_orderline (order_id, position, title, category, quantity, amount_minor)
    SELECT l.order_id, l.position, l.title, l.category, l.quantity, l.amount_minor
    FROM jsonb_populate_recordset(NULL::orders_orderline, p_lines) AS l;
    INSERT INTO notifications_event
        (public_id, type, platform_id, subject_id, sequence, data, created_at, attempts, next_attempt_at, last_error)
    SELECT e.public_id, e.type, e.platform_id, e.subject_id, e.sequence, e.data, e.created_at, e.attempts,
           e.next_attempt_at, e.last_error
    FROM jsonb_populate_recordset(NULL::notifications_event, p_events) AS e;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_webhook_endpoints"),
        ("orders", "0003_parcels_and_extensions"),
    ]

    operations = [
        migrations.RunSQL(CREATE_ORDER, "DROP FUNCTION orders_create_orders"),
    ]
