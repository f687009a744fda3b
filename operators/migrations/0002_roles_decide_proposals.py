from django.db import migrations

from operators import roles


class Migration(migrations.Migration):
    """Finance decides about proposed changes; an auditor sees them."""

    dependencies = [("operators", "0001_roles")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: roles.write_roles(), migrations.RunPython.noop
        )
    ]
