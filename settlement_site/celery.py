"""The Celery application.

Celery and Redis are a doorbell, never a record: every fact is a row in PostgreSQL.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

app = Celery("holdfast")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def start_services(**_kwargs: Any) -> None:
    """Make sure the database and the broker are there before a worker or beat needs them."""
    from settlement_site import embedded

    embedded.start()


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Keep Celery from replacing the logging that settings.LOGGING has set up."""
