"""How much longer the buyers of a platform may take to confirm, once."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0003_audit_context_inline"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="platform",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="platform",
            name="update_update",
        ),
        migrations.RemoveConstraint(
            model_name="platform",
            name="platform_deadlines_positive",
        ),
        migrations.AddField(
            model_name="platform",
            name="confirm_extension_seconds",
            field=models.PositiveIntegerField(
                default=432000, verbose_name="the buyer may take this much longer, once, seconds"
            ),
        ),
        migrations.AddField(
            model_name="platformaudit",
            name="confirm_extension_seconds",
            field=models.PositiveIntegerField(
                default=432000, verbose_name="the buyer may take this much longer, once, seconds"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="platform",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "currency", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."currency", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."service_fee_bps", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="16c282f32ab806d826e1254d7548aa2b690de510",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "merchants_platformaudit" ("confirm_extension_seconds", "confirm_reminder_seconds", "confirm_seconds", "confirm_virtual_seconds", "currency", "name", "pay_seconds", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_fee_bps", "ship_reminder_seconds", "ship_seconds", "slug") SELECT new_values."confirm_extension_seconds", new_values."confirm_reminder_seconds", new_values."confirm_seconds", new_values."confirm_virtual_seconds", new_values."currency", new_values."name", new_values."pay_seconds", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."service_fee_bps", new_values."ship_reminder_seconds", new_values."ship_seconds", new_values."slug" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."confirm_extension_seconds" IS DISTINCT FROM (new_values."confirm_extension_seconds") OR old_values."confirm_reminder_seconds" IS DISTINCT FROM (new_values."confirm_reminder_seconds") OR old_values."confirm_seconds" IS DISTINCT FROM (new_values."confirm_seconds") OR old_values."confirm_virtual_seconds" IS DISTINCT FROM (new_values."confirm_virtual_seconds") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."pay_seconds" IS DISTINCT FROM (new_values."pay_seconds") OR old_values."service_fee_bps" IS DISTINCT FROM (new_values."service_fee_bps") OR old_values."ship_reminder_seconds" IS DISTINCT FROM (new_values."ship_reminder_seconds") OR old_values."ship_seconds" IS DISTINCT FROM (new_values."ship_seconds") OR old_values."slug" IS DISTINCT FROM (new_values."slug")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="a2c0369ccf4e1fa78cce6be75dc3189d9ed350df",
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
                    ("confirm_extension_seconds__gt", 0),
                    ("confirm_reminder_seconds__gt", 0),
                    ("confirm_seconds__gt", 0),
                    ("confirm_virtual_seconds__gt", 0),
                    ("pay_seconds__gt", 0),
                    ("ship_reminder_seconds__gt", 0),
                    ("ship_seconds__gt", 0),
                ),
                name="platform_deadlines_positive",
                violation_error_message="Deadlines are at least one second.",
            ),
        ),
    ]
