"""The release sweep learns whose clock it runs by. The old function goes: the new one can be called
as it was, so that a worker of the previous version goes on working.
"""

from django.db import migrations

from escrow import sql


class Migration(migrations.Migration):
    dependencies = [
        ("escrow", "0005_release_order"),
        ("merchants", "0005_modes_and_clocks"),
    ]

    operations = [
        migrations.RunSQL(
            "DROP FUNCTION IF EXISTS escrow_release_due_orders(integer, timestamptz)",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(sql.load("release_orders"), migrations.RunSQL.noop),
    ]
