"""The ledger as a Django app; it must never hold accounting rules (chart.py and entries.py do)."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate  # noqa: TID251 - schema, not flow


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "Ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from ledger.triggers import keep_triggers_on

        post_migrate.connect(keep_triggers_on, sender=self)
