from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """Fill the chart of accounts and the routes. A later class or kind is a new migration like this one."""

    dependencies = [("ledger", "0001_tables")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
