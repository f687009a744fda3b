from django.db import migrations

from operators import roles


class Migration(migrations.Migration):
    """Finance, support, risk and auditor: the groups operators belong to."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: roles.write_roles(), migrations.RunPython.noop
        )
    ]
