"""Every door, on one screen. It must hold no view of its own."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from api import documentation, health

# The admin's own sign-in knows no second factor: everybody signs in at one page.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("portal.urls")),
    path("accounts/", include("allauth.urls")),
    path("v1/", include("api.v1.urls")),
    path("docs/api", documentation.show_api),
    path("admin/", include("operators.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.show_liveness),
    path("readyz", health.show_readiness),
]

# Under /v1 they answer problem documents, elsewhere pages.
handler400 = "api.errors.show_bad_request"
handler404 = "api.errors.show_not_found"
handler500 = "api.errors.show_server_error"
