"""The ledger as a Django app; it must never hold accounting rules (chart.py and entries.py do)."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "Ledger"
    default_auto_field = "django.db.models.BigAutoField"
