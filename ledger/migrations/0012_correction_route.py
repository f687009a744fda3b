from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """Two persons may book by hand what the bank or a channel did."""

    dependencies = [("ledger", "0011_rolling_reserve")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
