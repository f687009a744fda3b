"""Django's name for the people behind the money."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = _("Merchants")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from merchants import encryption

        checks.register(encryption.check_keys, checks.Tags.security)
