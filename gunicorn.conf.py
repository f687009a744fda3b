"""How gunicorn serves Holdfast; found by gunicorn in the working directory.

It must start nothing by itself.
"""

import os
from typing import Any

wsgi_app = "settlement_site.wsgi"
worker_class = "gthread"  # measured equal to the asynchronous servers for this synchronous code
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 60
graceful_timeout = 15
accesslog = None  # an address may carry a buyer's token
control_socket_disable = (
    True  # it would lie in the home directory, shared by every gunicorn of this user
)


def on_starting(_server: Any) -> None:
    """Judge the settings and start the services once, before any worker is forked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")
    from django.conf import settings

    from settlement_site import embedded

    _ = settings.SECRET_KEY
    embedded.start()
