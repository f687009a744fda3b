from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """A part of a release may be held back of the seller, and pay what it has to give back."""

    dependencies = [("ledger", "0010_refund_routes")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
