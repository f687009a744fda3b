from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    """The same refusals and balances with fewer statements per posting, and cheaper ids."""

    dependencies = [("ledger", "0006_posting")]

    operations = [
        migrations.RunSQL(sql.load("accounts"), migrations.RunSQL.noop),
        migrations.RunSQL(sql.load("guards"), migrations.RunSQL.noop),
    ]
