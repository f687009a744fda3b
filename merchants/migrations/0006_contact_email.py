"""Whom to tell when something of a platform's own stops working."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0005_modes_and_clocks"),
    ]

    operations = [
        migrations.AddField(
            model_name="platform",
            name="contact_email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="contact e-mail"),
        ),
    ]
