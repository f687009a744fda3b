from django.db import migrations

from escrow import sql


class Migration(migrations.Migration):
    dependencies = [
        ("escrow", "0002_initial"),
        ("ledger", "0006_posting"),
        ("notifications", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(sql.load("release_orders"), migrations.RunSQL.noop),
        # A hold is changed once, in no indexed column: with room on its page no index is touched.
        migrations.RunSQL("ALTER TABLE escrow_hold SET (fillfactor = 75)", migrations.RunSQL.noop),
    ]
