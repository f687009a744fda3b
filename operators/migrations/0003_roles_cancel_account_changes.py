from django.db import migrations

from operators import roles


class Migration(migrations.Migration):
    """Finance and risk cancel a changed bank account before money goes there."""

    dependencies = [("operators", "0002_roles_decide_proposals")]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: roles.write_roles(), migrations.RunPython.noop
        )
    ]
