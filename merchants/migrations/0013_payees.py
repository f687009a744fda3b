"""Bank accounts say whose they are: a seller's, a further party's or the platform's."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

KINDS = [("MERCHANT", "Seller"), ("PARTY", "Further party"), ("PLATFORM", "Platform")]


def _payee(model: str) -> migrations.SeparateDatabaseAndState:
    """Add the column in one rewrite of the table. The database works old rows' payee out once:
    no UPDATE, so no trigger runs and no audit row is written."""
    table = f"merchants_{model}"
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


OWN_PARTY = """
ALTER TABLE merchants_bankaccount
    ADD CONSTRAINT bank_account_of_own_party
    FOREIGN KEY (platform_id, party_id) REFERENCES merchants_party (platform_id, id);
"""
ANY_PARTY = "ALTER TABLE merchants_bankaccount DROP CONSTRAINT bank_account_of_own_party;"


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0012_seller_time_zone"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankaccount",
            name="bank_account_new_row_instead",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankaccount",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankaccount",
            name="update_update",
        ),
        migrations.RemoveConstraint(
            model_name="bankaccount",
            name="bank_account_one_active_per_platform",
        ),
        migrations.AddField(
            model_name="bankaccount",
            name="party",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bank_accounts",
                to="merchants.party",
            ),
        ),
        _payee("bankaccount"),
        migrations.AddField(
            model_name="bankaccountaudit",
            name="party",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="merchants.party",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_account_new_row_instead",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."platform_id" IS DISTINCT FROM (NEW."platform_id") OR OLD."payee" IS DISTINCT FROM (NEW."payee") OR OLD."merchant_id" IS DISTINCT FROM (NEW."merchant_id") OR OLD."party_id" IS DISTINCT FROM (NEW."party_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."holder_name" IS DISTINCT FROM (NEW."holder_name") OR OLD."bank_code" IS DISTINCT FROM (NEW."bank_code") OR OLD."bank_name" IS DISTINCT FROM (NEW."bank_name") OR OLD."last_four" IS DISTINCT FROM (NEW."last_four"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="a378c87c8190b66f2f5e3025b694880124a8e78e",
                    operation="UPDATE",
                    pgid="pgtrigger_bank_account_new_row_instead_74633",
                    table="merchants_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_bankaccountaudit" ("active", "bank_code", "bank_name", "currency", "holder_name", "last_four", "merchant_id", "party_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id") SELECT new_values."active", new_values."bank_code", new_values."bank_name", new_values."currency", new_values."holder_name", new_values."last_four", new_values."merchant_id", new_values."party_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."platform_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="968e605ed667b7cb55b4e132a9b5e8d16e0372b4",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_993e5",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="merchants_bankaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_bankaccountaudit" ("active", "bank_code", "bank_name", "currency", "holder_name", "last_four", "merchant_id", "party_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id") SELECT new_values."active", new_values."bank_code", new_values."bank_name", new_values."currency", new_values."holder_name", new_values."last_four", new_values."merchant_id", new_values."party_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."platform_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."active" IS DISTINCT FROM (new_values."active") OR old_values."bank_code" IS DISTINCT FROM (new_values."bank_code") OR old_values."bank_name" IS DISTINCT FROM (new_values."bank_name") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."holder_name" IS DISTINCT FROM (new_values."holder_name") OR old_values."last_four" IS DISTINCT FROM (new_values."last_four") OR old_values."merchant_id" IS DISTINCT FROM (new_values."merchant_id") OR old_values."party_id" IS DISTINCT FROM (new_values."party_id") OR old_values."platform_id" IS DISTINCT FROM (new_values."platform_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="54b829a42dfed41dbfaa415a4a3eb5cf9ece2455",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_829ca",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="merchants_bankaccount",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
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
                name="bank_account_of_one_payee",
                violation_error_message="Name a seller or a further party, not both.",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True), ("payee", "PLATFORM")),
                fields=("platform", "currency"),
                name="bank_account_one_active_per_platform",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True), ("party__isnull", False)),
                fields=("party", "currency"),
                name="bank_account_one_active_per_party",
            ),
        ),
        migrations.AddConstraint(
            model_name="party",
            constraint=models.UniqueConstraint(
                fields=("platform", "id"), name="party_with_its_platform"
            ),
        ),
        migrations.RunSQL(OWN_PARTY, ANY_PARTY),
    ]
