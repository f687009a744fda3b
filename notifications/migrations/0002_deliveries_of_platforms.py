"""Deliveries get a public id and their event's platform; due work is indexed per channel.

Events keep as many indexes as before, and a BRIN one, which an insert hardly feels.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import ledger.fields

FILL = """
    UPDATE notifications_delivery AS d
    SET public_id = holdfast_new_id('dlv'), platform_id = e.platform_id
    FROM notifications_event AS e WHERE e.id = d.event_id
"""


def of_platform(**options):
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        to="merchants.platform",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_accounts"),
        ("merchants", "0006_contact_email"),
        ("notifications", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="attempts_before",
            field=models.PositiveIntegerField(default=0, verbose_name="attempts before"),
        ),
        migrations.AddField(
            model_name="delivery",
            name="public_id",
            field=ledger.fields.IdField(prefix="dlv", null=True, verbose_name="public id"),
        ),
        migrations.AddField(
            model_name="delivery",
            name="platform",
            field=of_platform(null=True, related_name="deliveries"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="delivery",
            name="public_id",
            field=ledger.fields.IdField(prefix="dlv", unique=True, verbose_name="public id"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="platform",
            field=of_platform(related_name="deliveries"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="audience",
            field=models.CharField(
                choices=[("SELLER", "Seller"), ("BUYER", "Buyer"), ("PLATFORM", "Platform")],
                max_length=8,
                verbose_name="audience",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("webhook", "Webhook")],
                max_length=10,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="platform",
            field=of_platform(related_name="events"),
        ),
        migrations.RemoveIndex(model_name="delivery", name="delivery_due"),
        migrations.RemoveIndex(model_name="event", name="event_due"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("next_attempt_at"),
                models.F("id"),
                condition=models.Q(("channel", "email"), ("state", "PENDING")),
                name="delivery_mail_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("recipient"),
                models.F("next_attempt_at"),
                models.F("id"),
                condition=models.Q(("channel", "webhook"), ("state", "PENDING")),
                name="delivery_webhook_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("platform"),
                models.F("public_id"),
                condition=models.Q(("channel", "webhook")),
                name="delivery_of_platform",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("id"),
                condition=models.Q(("relayed_at__isnull", True)),
                name="event_not_relayed",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("platform"), models.F("public_id"), name="event_of_platform"
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.BrinIndex(
                models.F("created_at"), autosummarize=True, name="event_created"
            ),
        ),
    ]
