from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_guards")]

    operations = [migrations.RunSQL(sql.load("posting"), migrations.RunSQL.noop)]
