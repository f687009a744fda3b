"""What gunicorn serves in `make bench-api`: the site itself, or one bare view beside which it is
measured. Both on the benchmark's own database."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from settlement_site import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

embedded.start()
settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
if os.environ.get("BENCH_BARE"):
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # Content-Length
    settings.ROOT_URLCONF = "benchmarks.served"
application = get_wsgi_application()


class BareView(APIView):
    """Authenticates by key and inserts one row: the least a view of this kind can do."""

    def post(self, request: Request) -> Response:
        from django.utils import timezone

        from api.authentication import ApiKeyAuthentication

        request.at = timezone.now()
        _none, key = ApiKeyAuthentication().authenticate(request)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bench_bare (platform_id, reference) VALUES (%s, %s) RETURNING id",
                [key.platform_id, request.data["reference"]],
            )
            return Response({"id": cursor.fetchone()[0]}, status=201)


urlpatterns = [path("v1/orders", BareView.as_view())]
