"""The release passes over orders whose clock stands still."""

from django.db import migrations

from escrow import sql


class Migration(migrations.Migration):
    dependencies = [
        ("escrow", "0008_disputes"),
        ("orders", "0008_paused_clock"),
    ]

    operations = [
        migrations.RunSQL(sql.load("release_orders"), migrations.RunSQL.noop),
    ]
