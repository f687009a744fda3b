"""The door for web servers: `gunicorn settlement_site.wsgi`, configured by gunicorn.conf.py."""

import os

from django.core.wsgi import get_wsgi_application

from settlement_site import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

embedded.start()
application = get_wsgi_application()
