from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_seed")]

    operations = [migrations.RunSQL(sql.load("accounts"), migrations.RunSQL.noop)]
