from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_append_only")]

    operations = [migrations.RunSQL(sql.load("guards"), migrations.RunSQL.noop)]
