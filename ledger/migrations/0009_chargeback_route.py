from django.db import migrations

from ledger import seeding


class Migration(migrations.Migration):
    """A chargeback takes held money back to the channel."""

    dependencies = [("ledger", "0008_clawbacks")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: seeding.seed(), migrations.RunPython.noop)
    ]
