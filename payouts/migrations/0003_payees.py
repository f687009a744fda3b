"""Schedules, statements and payouts say whom they are for: a seller, a further party or the
platform."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [("MERCHANT", "Seller"), ("PARTY", "Further party"), ("PLATFORM", "Platform")]


def _payee(model: str) -> migrations.SeparateDatabaseAndState:
    """Add the column in one rewrite of the table. The database works old rows' payee out once:
    no UPDATE, so no trigger runs and no audit row is written."""
    table = f"payouts_{model}"
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"""
                ALTER TABLE {table} ADD COLUMN payee varchar(8) NOT NULL GENERATED ALWAYS AS (
                    CASE WHEN merchant_id IS NULL THEN 'PLATFORM' ELSE 'MERCHANT' END
                ) STORED;
                ALTER TABLE {table} ALTER COLUMN payee DROP EXPRESSION;
                """,
                f"ALTER TABLE {table} DROP COLUMN payee;",
            )
        ],
        state_operations=[
            migrations.AddField(
                model_name=model,
                name="payee",
                field=models.CharField(choices=KINDS, max_length=8, verbose_name="payee"),
            )
        ],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0009_chargeback_route"),
        ("merchants", "0013_payees"),
        ("payouts", "0002_lean_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="payoutschedule",
            name="schedule_of_platform_once",
        ),
        migrations.AddField(
            model_name="payout",
            name="party",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="merchants.party",
            ),
        ),
        _payee("payout"),
        migrations.AddField(
            model_name="payoutschedule",
            name="party",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payout_schedule",
                to="merchants.party",
            ),
        ),
        _payee("payoutschedule"),
        migrations.AddField(
            model_name="settlement",
            name="party",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlements",
                to="merchants.party",
            ),
        ),
        _payee("settlement"),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("merchant__isnull", False), ("party__isnull", True), ("payee", "MERCHANT")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", False), ("payee", "PARTY")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", True), ("payee", "PLATFORM")
                    ),
                    _connector="OR",
                ),
                name="payout_of_one_payee",
                violation_error_message="Name a seller or a further party, not both.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("merchant__isnull", False), ("party__isnull", True), ("payee", "MERCHANT")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", False), ("payee", "PARTY")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", True), ("payee", "PLATFORM")
                    ),
                    _connector="OR",
                ),
                name="schedule_of_one_payee",
                violation_error_message="Name a seller or a further party, not both.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutschedule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("payee", "PLATFORM")),
                fields=("platform",),
                name="schedule_of_platform_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("merchant__isnull", False), ("party__isnull", True), ("payee", "MERCHANT")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", False), ("payee", "PARTY")
                    ),
                    models.Q(
                        ("merchant__isnull", True), ("party__isnull", True), ("payee", "PLATFORM")
                    ),
                    _connector="OR",
                ),
                name="settlement_of_one_payee",
                violation_error_message="Name a seller or a further party, not both.",
            ),
        ),
    ]
