"""The operators' pages that belong to no model, under /admin/ like all others."""

from django.urls import path

from operators import pages

app_name = "operators"
urlpatterns = [
    path("trail/", pages.show_trail, name="trail"),
    path("health/", pages.show_health, name="health"),
    path("onboarding/", pages.list_onboarding, name="onboarding"),
]
