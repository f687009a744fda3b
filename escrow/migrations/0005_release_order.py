from django.db import migrations

from escrow import sql


class Migration(migrations.Migration):
    dependencies = [
        ("escrow", "0004_lean_guards"),
        ("ledger", "0007_lean_posting"),
        ("orders", "0002_lean_guards"),
    ]

    operations = [
        migrations.RunSQL(sql.load("release_orders"), migrations.RunSQL.noop),
        migrations.RunSQL(
            "DROP FUNCTION IF EXISTS escrow_release_orders(text[], text, timestamptz);"
            " DROP FUNCTION IF EXISTS escrow_instant(timestamptz)",
            migrations.RunSQL.noop,
        ),
    ]
