"""Every page of the door for people, on one screen."""

from django.urls import path

from portal.pages import debts, doors, orders, overview, payouts

app_name = "portal"
urlpatterns = [
    path("", doors.go_home, name="home"),
    path("portal/theme", doors.choose_theme, name="theme"),
    path("portal/", overview.show_overview, name="overview"),
    path("portal/orders", orders.list_orders, name="orders"),
    path("portal/orders/<slug:order_id>", orders.show_order, name="order"),
    path("portal/payouts", payouts.list_payouts, name="payouts"),
    path("portal/payouts/<slug:payout_id>", payouts.show_payout, name="payout"),
    path(
        "portal/statements/<slug:settlement_id>.<slug:kind>",
        payouts.hand_out_statement,
        name="statement-file",
    ),
    path("portal/debts", debts.list_debts, name="debts"),
]
