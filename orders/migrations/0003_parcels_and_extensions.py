"""Several parcels, each corrected once; deadlines that may move once."""

import django.db.models.functions.comparison
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0004_confirm_extension"),
        ("orders", "0002_lean_guards"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="order",
            name="order_periods_not_negative",
        ),
        migrations.AddField(
            model_name="order",
            name="confirm_extended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="confirm_extension_seconds",
            field=models.IntegerField(default=432000),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="order",
            name="ship_extended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="shipment",
            name="corrected_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="shipment",
            name="position",
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="order",
            trigger=pgtrigger.compiler.Trigger(
                name="order_extended_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF NEW.ship_extended_at IS DISTINCT FROM OLD.ship_extended_at\n            OR OLD.state = 'PAID' AND NEW.state = 'PAID' AND NEW.ship_by <> OLD.ship_by\n    THEN\n        IF (OLD.state = 'PAID' AND NEW.state = 'PAID' AND OLD.ship_extended_at IS NULL\n                AND NEW.ship_extended_at IS NOT NULL AND NEW.ship_by > OLD.ship_by) IS NOT TRUE\n        THEN\n            RAISE EXCEPTION 'ship_by may move once, later, while the order is PAID'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_extended_once';\n        END IF;\n    END IF;\n\n    IF NEW.confirm_extended_at IS DISTINCT FROM OLD.confirm_extended_at\n            OR OLD.state = 'SHIPPED' AND NEW.state = 'SHIPPED' AND NEW.confirm_by <> OLD.confirm_by\n    THEN\n        IF (OLD.state = 'SHIPPED' AND NEW.state = 'SHIPPED' AND OLD.confirm_extended_at IS NULL\n                AND NEW.confirm_extended_at IS NOT NULL AND NEW.confirm_by > OLD.confirm_by) IS NOT TRUE\n        THEN\n            RAISE EXCEPTION 'confirm_by may move once, later, while the order is SHIPPED'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'order_extended_once';\n        END IF;\n    END IF;\n    RETURN NEW;",
                    hash="f45b47ff24c840a3ffa1481ed37f7db70efd6364",
                    operation='UPDATE OF "ship_by", "ship_extended_at", "confirm_by", "confirm_extended_at"',
                    pgid="pgtrigger_order_extended_once_ee418",
                    table="orders_order",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shipment",
            trigger=pgtrigger.compiler.Trigger(
                name="shipment_corrected_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."corrected_at" IS NOT NULL OR NEW."corrected_at" IS NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="18395a455744b1ead1d7b303c8643aa64c51790b",
                    operation="UPDATE",
                    pgid="pgtrigger_shipment_corrected_once_d61f4",
                    table="orders_shipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shipment",
            trigger=pgtrigger.compiler.Trigger(
                name="shipment_stays_sent",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."shipped_at" IS DISTINCT FROM (NEW."shipped_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="e913fa643ede37983121891843972f1b9cef7e76",
                    operation="UPDATE",
                    pgid="pgtrigger_shipment_stays_sent_4670a",
                    table="orders_shipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shipment",
            trigger=pgtrigger.compiler.Trigger(
                name="shipment_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="71d378908872c54ade164f630d0def3dac9c2b70",
                    operation="DELETE",
                    pgid="pgtrigger_shipment_kept_f1be3",
                    table="orders_shipment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.GreaterThanOrEqual(
                    django.db.models.functions.comparison.Least(
                        "ship_seconds",
                        "ship_reminder_seconds",
                        "confirm_seconds",
                        "confirm_reminder_seconds",
                        "confirm_extension_seconds",
                    ),
                    0,
                ),
                name="order_periods_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="shipment",
            constraint=models.UniqueConstraint(
                fields=("order", "position"), name="shipment_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="shipment",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__gte", 1), ("position__lte", 15)),
                name="shipment_position_in_range",
            ),
        ),
    ]
