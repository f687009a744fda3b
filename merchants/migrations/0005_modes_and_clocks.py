"""A platform's mode and clock; a key's mode is its platform's, also for raw SQL.

Platforms with a live key become live. Their test keys would open live money: they are revoked.
"""

import datetime

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import merchants.scopes

MODES = """
UPDATE merchants_platform AS p SET mode = 'LIVE'
WHERE EXISTS (
    SELECT FROM merchants_apikey AS k
    WHERE k.platform_id = p.id AND k.mode = 'LIVE' AND k.revoked_at IS NULL
);
UPDATE merchants_apikey AS k SET mode = p.mode, revoked_at = coalesce(k.revoked_at, now())
FROM merchants_platform AS p WHERE p.id = k.platform_id AND k.mode <> p.mode;
"""
FORWARD = """
ALTER TABLE merchants_apikey
    ADD CONSTRAINT api_key_of_platforms_mode
    FOREIGN KEY (platform_id, mode) REFERENCES merchants_platform (id, mode);
"""
BACKWARD = "ALTER TABLE merchants_apikey DROP CONSTRAINT api_key_of_platforms_mode;"


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0004_confirm_extension"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="apikey",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="apikey",
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
        migrations.AddField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="scopes",
            field=models.JSONField(default=merchants.scopes.all_scopes, verbose_name="scopes"),
        ),
        migrations.AddField(
            model_name="apikeyaudit",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires"),
        ),
        migrations.AddField(
            model_name="apikeyaudit",
            name="scopes",
            field=models.JSONField(default=merchants.scopes.all_scopes, verbose_name="scopes"),
        ),
        migrations.AddField(
            model_name="platform",
            name="clock_offset",
            field=models.DurationField(
                default=datetime.timedelta(0), verbose_name="clock ahead by"
            ),
        ),
        migrations.AddField(
            model_name="platform",
            name="live_platform",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="test_platform",
                to="merchants.platform",
                verbose_name="live side",
            ),
        ),
        migrations.AddField(
            model_name="platform",
            name="mode",
            field=models.CharField(
                choices=[("TEST", "Test"), ("LIVE", "Live")],
                default="TEST",
                max_length=4,
                verbose_name="mode",
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="clock_offset",
            field=models.DurationField(
                default=datetime.timedelta(0), verbose_name="clock ahead by"
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="live_platform",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="merchants.platform",
                verbose_name="live side",
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="mode",
            field=models.CharField(
                choices=[("TEST", "Test"), ("LIVE", "Live")],
                default="TEST",
                max_length=4,
                verbose_name="mode",
            ),
        ),
        migrations.AddIndex(
            model_name="platform",
            index=models.Index(
                models.F("id"),
                condition=models.Q(("clock_offset__gt", datetime.timedelta(0))),
                name="platform_clock_moved",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_apikeyaudit" ("expires_at", "mode", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id", "public_id", "revoked_at", "scopes") SELECT new_values."expires_at", new_values."mode", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."platform_id", new_values."public_id", new_values."revoked_at", new_values."scopes" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="11054c770599531fc00d481ae7d91a721b86f99d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ba76f",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="merchants_apikey",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_apikeyaudit" ("expires_at", "mode", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "platform_id", "public_id", "revoked_at", "scopes") SELECT new_values."expires_at", new_values."mode", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."platform_id", new_values."public_id", new_values."revoked_at", new_values."scopes" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."expires_at" IS DISTINCT FROM (new_values."expires_at") OR old_values."mode" IS DISTINCT FROM (new_values."mode") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."platform_id" IS DISTINCT FROM (new_values."platform_id") OR old_values."public_id" IS DISTINCT FROM (new_values."public_id") OR old_values."revoked_at" IS DISTINCT FROM (new_values."revoked_at") OR old_values."scopes" IS DISTINCT FROM (new_values."scopes")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="e1d6e417f8435bd78c5392a4e57087beed12dc10",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f19bc",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="merchants_apikey",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(MODES, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="platform_mode_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."mode" IS DISTINCT FROM (NEW."mode"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="696f99da6a09c7ccc1a1730e654f682c67c4f293",
                    operation="UPDATE",
                    pgid="pgtrigger_platform_mode_fixed_b08fc",
                    table="merchants_platform",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="platform_clock_forward",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."clock_offset" < (OLD."clock_offset"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="bfab1bbef445d6d8a809e23293f7cd569639d301",
                    operation="UPDATE",
                    pgid="pgtrigger_platform_clock_forward_c4b76",
                    table="merchants_platform",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="platform_live_side_is_live",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF NEW.live_platform_id IS NOT NULL AND NOT EXISTS (\n        SELECT 1 FROM merchants_platform WHERE id = NEW.live_platform_id AND mode = 'LIVE'\n    ) THEN\n        RAISE EXCEPTION 'the live side of a platform is a live platform'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'platform_live_side_is_live';\n    END IF;\n    RETURN NEW;\n",
                    hash="931904816b4d865917e6fd13c797833e2aae9427",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_platform_live_side_is_live_4468e",
                    table="merchants_platform",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("clock_offset", "confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "currency", "live_platform_id", "mode", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."clock_offset", new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."currency", new_values."live_platform_id", new_values."mode", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."service_fee_bps", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="25d728d88be006fe0a609c349db090a8fa0de82e",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("clock_offset", "confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "currency", "live_platform_id", "mode", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."clock_offset", new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."currency", new_values."live_platform_id", new_values."mode", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."service_fee_bps", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."clock_offset" IS DISTINCT FROM (new_values."clock_offset") OR old_values."confirm_extension_seconds" IS DISTINCT FROM (new_values."confirm_extension_seconds") OR old_values."confirm_reminder_seconds" IS DISTINCT FROM (new_values."confirm_reminder_seconds") OR old_values."confirm_seconds" IS DISTINCT FROM (new_values."confirm_seconds") OR old_values."confirm_virtual_seconds" IS DISTINCT FROM (new_values."confirm_virtual_seconds") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."live_platform_id" IS DISTINCT FROM (new_values."live_platform_id") OR old_values."mode" IS DISTINCT FROM (new_values."mode") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."pay_seconds" IS DISTINCT FROM (new_values."pay_seconds") OR old_values."service_fee_bps" IS DISTINCT FROM (new_values."service_fee_bps") OR old_values."ship_reminder_seconds" IS DISTINCT FROM (new_values."ship_reminder_seconds") OR old_values."ship_seconds" IS DISTINCT FROM (new_values."ship_seconds") OR old_values."slug" IS DISTINCT FROM (new_values."slug")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="ed58de9cb2289b5131330fe5a2082245cb6e7fbf",
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
            model_name="platform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("clock_offset", datetime.timedelta(0)),
                    models.Q(
                        ("clock_offset__gt", datetime.timedelta(0)),
                        ("clock_offset__lte", datetime.timedelta(days=3650)),
                        ("mode", "TEST"),
                    ),
                    _connector="OR",
                ),
                name="platform_clock_in_range",
                violation_error_message="Only a platform in test mode has a clock of its own.",
            ),
        ),
        migrations.AddConstraint(
            model_name="platform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("live_platform__isnull", True), ("mode", "TEST"), _connector="OR"
                ),
                name="platform_live_side_of_test",
                violation_error_message="Only a platform in test mode has a live side.",
            ),
        ),
        migrations.AddConstraint(
            model_name="platform",
            constraint=models.UniqueConstraint(fields=("id", "mode"), name="platform_of_mode"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
