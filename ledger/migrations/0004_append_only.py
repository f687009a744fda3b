from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_accounts")]

    operations = [migrations.RunSQL(sql.load("append_only"), migrations.RunSQL.noop)]
