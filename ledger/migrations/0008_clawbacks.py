from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """Add the kinds of claw-backs and debts to the routes, and whose debts there can be."""

    dependencies = [("ledger", "0007_lean_posting")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
