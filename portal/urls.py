"""Every page of the door for people, on one screen."""

from django.urls import path

from portal.pages import doors, orders, overview

app_name = "portal"
urlpatterns = [
    path("", doors.go_home, name="home"),
    path("portal/theme", doors.choose_theme, name="theme"),
    path("portal/", overview.show_overview, name="overview"),
    path("portal/orders", orders.list_orders, name="orders"),
    path("portal/orders/<slug:order_id>", orders.show_order, name="order"),
]
