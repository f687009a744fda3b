"""Every door, on one screen. It must hold no view of its own."""

from django.contrib import admin
from django.urls import include, path

from api import documentation, health

urlpatterns = [
    path("v1/", include("api.v1.urls")),
    path("docs/api", documentation.show_api),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.show_liveness),
    path("readyz", health.show_readiness),
]

# Under /v1 they answer problem documents, elsewhere pages.
handler400 = "api.errors.show_bad_request"
handler404 = "api.errors.show_not_found"
handler500 = "api.errors.show_server_error"
