"""Bank accounts have a state: a changed one waits for a cool-off before it is in force."""

import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


def _state(table: str) -> migrations.RunSQL:
    """Add the column in one rewrite of the table, worked out from `active`: no UPDATE, so no trigger
    runs and no audit row is written."""
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ADD COLUMN state varchar(50) NOT NULL GENERATED ALWAYS AS (
            CASE WHEN active THEN 'IN_FORCE' ELSE 'REPLACED' END
        ) STORED;
        ALTER TABLE {table} ALTER COLUMN state DROP EXPRESSION;
        """,
        f"ALTER TABLE {table} DROP COLUMN state;",
    )


EFFECTIVE = migrations.RunSQL(
    """
    ALTER TABLE merchants_bankaccount
        ADD COLUMN effective_at timestamptz GENERATED ALWAYS AS (created_at) STORED;
    ALTER TABLE merchants_bankaccount ALTER COLUMN effective_at DROP EXPRESSION;
    """,
    "ALTER TABLE merchants_bankaccount DROP COLUMN effective_at;",
)


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0018_proposals"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankaccount",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="bankaccount",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="platform",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="platform",
            name="update_update",
        ),
        migrations.RemoveConstraint(
            model_name="bankaccount",
            name="bank_account_one_active_per_merchant",
        ),
        migrations.RemoveConstraint(
            model_name="bankaccount",
            name="bank_account_one_active_per_platform",
        ),
        migrations.RemoveConstraint(
            model_name="bankaccount",
            name="bank_account_one_active_per_party",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[_state("merchants_bankaccount"), EFFECTIVE],
            state_operations=[
                migrations.AddField(
                    model_name="bankaccount",
                    name="effective_at",
                    field=models.DateTimeField(blank=True, null=True, verbose_name="In force from"),
                ),
                migrations.AddField(
                    model_name="bankaccount",
                    name="state",
                    field=django_fsm.FSMField(
                        choices=[
                            ("PROPOSED", "Waits for a second person"),
                            ("WAITING", "Waits"),
                            ("IN_FORCE", "In force"),
                            ("REPLACED", "Replaced"),
                            ("CANCELED", "Canceled"),
                        ],
                        default="PROPOSED",
                        max_length=50,
                        protected=True,
                        verbose_name="State",
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[_state("merchants_bankaccountaudit")],
            state_operations=[
                migrations.AddField(
                    model_name="bankaccountaudit",
                    name="state",
                    field=django_fsm.FSMField(
                        choices=[
                            ("PROPOSED", "Waits for a second person"),
                            ("WAITING", "Waits"),
                            ("IN_FORCE", "In force"),
                            ("REPLACED", "Replaced"),
                            ("CANCELED", "Canceled"),
                        ],
                        default="PROPOSED",
                        max_length=50,
                        protected=True,
                        verbose_name="State",
                    ),
                ),
            ],
        ),
        migrations.RemoveField(
            model_name="bankaccount",
            name="active",
        ),
        migrations.RemoveField(
            model_name="bankaccountaudit",
            name="active",
        ),
        migrations.AddField(
            model_name="bankaccount",
            name="event_sequence",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="bankaccountaudit",
            name="effective_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="In force from"),
        ),
        migrations.AddField(
            model_name="platform",
            name="account_cooloff_hours",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="cool-off of changed bank accounts, hours"
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="account_cooloff_hours",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="cool-off of changed bank accounts, hours"
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="contact_email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="contact e-mail"),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="verb",
            field=models.CharField(
                choices=[
                    ("REPAYMENT", "Record a payment of a debtor"),
                    ("SCHEDULE", "Change a payout schedule"),
                    ("PLAN_RESERVE", "Change a plan's rolling reserve"),
                    ("BANK_ACCOUNT", "Change a bank account"),
                    ("COOLOFF", "Change the cool-off of bank accounts"),
                ],
                max_length=16,
                verbose_name="what",
            ),
        ),
        migrations.AlterField(
            model_name="proposalaudit",
            name="verb",
            field=models.CharField(
                choices=[
                    ("REPAYMENT", "Record a payment of a debtor"),
                    ("SCHEDULE", "Change a payout schedule"),
                    ("PLAN_RESERVE", "Change a plan's rolling reserve"),
                    ("BANK_ACCOUNT", "Change a bank account"),
                    ("COOLOFF", "Change the cool-off of bank accounts"),
                ],
                max_length=16,
                verbose_name="what",
            ),
        ),
        migrations.AddIndex(
            model_name="bankaccount",
            index=models.Index(
                models.F("effective_at"),
                condition=models.Q(("state", "WAITING")),
                name="bank_account_waiting",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_account_state_graph",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NEW.\"state\" <> OLD.\"state\"\n                    AND OLD.\"state\" || '>' || NEW.\"state\" <> ALL ('{PROPOSED>WAITING,PROPOSED>IN_FORCE,PROPOSED>CANCELED,WAITING>IN_FORCE,WAITING>CANCELED,IN_FORCE>REPLACED}'::text[]) THEN\n                RAISE EXCEPTION '% may not go from % to %', TG_TABLE_NAME, OLD.\"state\", NEW.\"state\"\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_state_graph';\n            END IF;\n            IF (CASE NEW.\"state\" WHEN 'WAITING' THEN num_nulls(NEW.\"effective_at\") WHEN 'IN_FORCE' THEN num_nulls(NEW.\"effective_at\") WHEN 'REPLACED' THEN num_nulls(NEW.\"effective_at\") ELSE 0 END) > 0 THEN\n                RAISE EXCEPTION '% in state % lacks what it requires', TG_TABLE_NAME, NEW.\"state\"\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_state_graph';\n            END IF;\n            RETURN NEW;",
                    hash="5810b5f71dc901ffdf9411132a22391927904c27",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_bank_account_state_graph_b3d55",
                    table="merchants_bankaccount",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bankaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="bank_account_in_force_as_told",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."effective_at" IS NOT NULL AND OLD."effective_at" IS DISTINCT FROM (NEW."effective_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="c04396e2911b5d29cb928ffe109898a5624ee743",
                    operation="UPDATE",
                    pgid="pgtrigger_bank_account_in_force_as_told_92ceb",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_bankaccountaudit" ("bank_code", "bank_name", "currency", "effective_at", "holder_name", "last_four", "merchant_id", "party_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id", "state") SELECT new_values."bank_code", new_values."bank_name", new_values."currency", new_values."effective_at", new_values."holder_name", new_values."last_four", new_values."merchant_id", new_values."party_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."platform_id", new_values."state" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5649b48c3422f50abe1e087c32236edf4b13a7d9",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_bankaccountaudit" ("bank_code", "bank_name", "currency", "effective_at", "holder_name", "last_four", "merchant_id", "party_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id", "state") SELECT new_values."bank_code", new_values."bank_name", new_values."currency", new_values."effective_at", new_values."holder_name", new_values."last_four", new_values."merchant_id", new_values."party_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."platform_id", new_values."state" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."bank_code" IS DISTINCT FROM (new_values."bank_code") OR old_values."bank_name" IS DISTINCT FROM (new_values."bank_name") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."effective_at" IS DISTINCT FROM (new_values."effective_at") OR old_values."holder_name" IS DISTINCT FROM (new_values."holder_name") OR old_values."last_four" IS DISTINCT FROM (new_values."last_four") OR old_values."merchant_id" IS DISTINCT FROM (new_values."merchant_id") OR old_values."party_id" IS DISTINCT FROM (new_values."party_id") OR old_values."platform_id" IS DISTINCT FROM (new_values."platform_id") OR old_values."state" IS DISTINCT FROM (new_values."state")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="a7ed91a4956bb25610f6b0814f536e48821a36c1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_829ca",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="merchants_bankaccount",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("account_cooloff_hours", "clock_offset", "confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "contact_email", "currency", "dispute_answer_seconds", "dispute_approval_above_minor", "dispute_decide_seconds", "dispute_offer_seconds", "dispute_receive_seconds", "dispute_return_seconds", "dispute_window_seconds", "live_platform_id", "mode", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_business_days", "ship_calendar", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."account_cooloff_hours", new_values."clock_offset", new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."contact_email", new_values."currency", new_values."dispute_answer_seconds", new_values."dispute_approval_above_minor", new_values."dispute_decide_seconds", new_values."dispute_offer_seconds", new_values."dispute_receive_seconds", new_values."dispute_return_seconds", new_values."dispute_window_seconds", new_values."live_platform_id", new_values."mode", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."service_fee_bps", new_values."ship_business_days", new_values."ship_calendar", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="cd28c0259ab3ea53a128f70edf4b5587c3f61d31",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_52f35",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="merchants_platform",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("account_cooloff_hours", "clock_offset", "confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "contact_email", "currency", "dispute_answer_seconds", "dispute_approval_above_minor", "dispute_decide_seconds", "dispute_offer_seconds", "dispute_receive_seconds", "dispute_return_seconds", "dispute_window_seconds", "live_platform_id", "mode", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_business_days", "ship_calendar", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."account_cooloff_hours", new_values."clock_offset", new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."contact_email", new_values."currency", new_values."dispute_answer_seconds", new_values."dispute_approval_above_minor", new_values."dispute_decide_seconds", new_values."dispute_offer_seconds", new_values."dispute_receive_seconds", new_values."dispute_return_seconds", new_values."dispute_window_seconds", new_values."live_platform_id", new_values."mode", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."service_fee_bps", new_values."ship_business_days", new_values."ship_calendar", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."account_cooloff_hours" IS DISTINCT FROM (new_values."account_cooloff_hours") OR old_values."clock_offset" IS DISTINCT FROM (new_values."clock_offset") OR old_values."confirm_extension_seconds" IS DISTINCT FROM (new_values."confirm_extension_seconds") OR old_values."confirm_reminder_seconds" IS DISTINCT FROM (new_values."confirm_reminder_seconds") OR old_values."confirm_seconds" IS DISTINCT FROM (new_values."confirm_seconds") OR old_values."confirm_virtual_seconds" IS DISTINCT FROM (new_values."confirm_virtual_seconds") OR old_values."contact_email" IS DISTINCT FROM (new_values."contact_email") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."dispute_answer_seconds" IS DISTINCT FROM (new_values."dispute_answer_seconds") OR old_values."dispute_approval_above_minor" IS DISTINCT FROM (new_values."dispute_approval_above_minor") OR old_values."dispute_decide_seconds" IS DISTINCT FROM (new_values."dispute_decide_seconds") OR old_values."dispute_offer_seconds" IS DISTINCT FROM (new_values."dispute_offer_seconds") OR old_values."dispute_receive_seconds" IS DISTINCT FROM (new_values."dispute_receive_seconds") OR old_values."dispute_return_seconds" IS DISTINCT FROM (new_values."dispute_return_seconds") OR old_values."dispute_window_seconds" IS DISTINCT FROM (new_values."dispute_window_seconds") OR old_values."live_platform_id" IS DISTINCT FROM (new_values."live_platform_id") OR old_values."mode" IS DISTINCT FROM (new_values."mode") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."pay_seconds" IS DISTINCT FROM (new_values."pay_seconds") OR old_values."service_fee_bps" IS DISTINCT FROM (new_values."service_fee_bps") OR old_values."ship_business_days" IS DISTINCT FROM (new_values."ship_business_days") OR old_values."ship_calendar" IS DISTINCT FROM (new_values."ship_calendar") OR old_values."ship_reminder_seconds" IS DISTINCT FROM (new_values."ship_reminder_seconds") OR old_values."ship_seconds" IS DISTINCT FROM (new_values."ship_seconds") OR old_values."slug" IS DISTINCT FROM (new_values."slug")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="9c38d726b0e533e22aaaf30e08d848ebd405572f",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_746ed",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="merchants_platform",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("merchant__isnull", False), ("state__in", ("WAITING", "IN_FORCE"))
                ),
                fields=("merchant", "currency", "state"),
                name="bank_account_one_per_merchant",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("payee", "PLATFORM"), ("state__in", ("WAITING", "IN_FORCE"))),
                fields=("platform", "currency", "state"),
                name="bank_account_one_per_platform",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("party__isnull", False), ("state__in", ("WAITING", "IN_FORCE"))
                ),
                fields=("party", "currency", "state"),
                name="bank_account_one_per_party",
            ),
        ),
        migrations.AddConstraint(
            model_name="platform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("account_cooloff_hours__isnull", True),
                    ("account_cooloff_hours__range", (1, 720)),
                    models.Q(("account_cooloff_hours", 0), ("mode", "TEST")),
                    _connector="OR",
                ),
                name="platform_cooloff_in_range",
                violation_error_message="A cool-off is 1 to 720 hours; in test mode also 0.",
            ),
        ),
    ]
