"""The door for asynchronous web servers.

Everything behind it is synchronous; prefer settlement_site.wsgi.
"""

import os

from django.core.asgi import get_asgi_application

from settlement_site import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

embedded.start()
application = get_asgi_application()
