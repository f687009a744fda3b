"""Makes the two commands known to Django. It must never hold a model: the books are SQLite."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox"
    verbose_name = "Sandbox channel and bank"
