from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """A refused refund goes by the bank, and may be paid twice."""

    dependencies = [("ledger", "0009_chargeback_route")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
