"""Makes the commands of the demo known to Django. It must never hold a model."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = "Demo"
