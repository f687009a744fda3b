"""Every page of the door for people, on one screen."""

from django.urls import path

from portal.buyer import cashier
from portal.buyer import disputes as buyer_disputes
from portal.buyer import orders as buyer_orders
from portal.pages import (
    accounts,
    bulk_shipping,
    debts,
    dispute_acts,
    disputes,
    doors,
    hooks,
    jobs,
    keys,
    order_acts,
    orders,
    overview,
    payouts,
    sellers,
    testing,
)

app_name = "portal"
urlpatterns = [
    path("", doors.go_home, name="home"),
    path("portal/theme", doors.choose_theme, name="theme"),
    path("portal/", overview.show_overview, name="overview"),
    path("portal/orders", orders.list_orders, name="orders"),
    path("portal/orders/export", orders.export_orders, name="export-orders"),
    path("portal/orders/views", orders.save_view, name="save-view"),
    path("portal/orders/views/<int:view_id>/forget", orders.forget_view, name="forget-view"),
    path("portal/orders/bulk", bulk_shipping.ship_many, name="ship-many"),
    path(
        "portal/orders/bulk/template.<slug:form>",
        bulk_shipping.hand_out_template,
        name="ship-template",
    ),
    path("portal/orders/bulk/<slug:job_id>", bulk_shipping.review, name="ship-review"),
    path(
        "portal/orders/bulk/<slug:job_id>/errors", bulk_shipping.hand_out_faults, name="ship-faults"
    ),
    path("portal/orders/<slug:order_id>", orders.show_order, name="order"),
    path("portal/disputes", disputes.list_disputes, name="disputes"),
    path("portal/disputes/<slug:dispute_id>", disputes.show_dispute, name="dispute"),
    path("portal/disputes/<slug:dispute_id>/accept", dispute_acts.accept, name="dispute-accept"),
    path("portal/disputes/<slug:dispute_id>/offer", dispute_acts.offer, name="dispute-offer"),
    path("portal/disputes/<slug:dispute_id>/contest", dispute_acts.contest, name="dispute-contest"),
    path(
        "portal/disputes/<slug:dispute_id>/received", dispute_acts.receive, name="dispute-received"
    ),
    path("portal/disputes/<slug:dispute_id>/refused", dispute_acts.refuse, name="dispute-refused"),
    path("portal/disputes/<slug:dispute_id>/files", dispute_acts.add_file, name="dispute-files"),
    path(
        "portal/disputes/<slug:dispute_id>/files/<slug:evidence_id>",
        disputes.download_file,
        name="dispute-file",
    ),
    path("portal/payouts", payouts.list_payouts, name="payouts"),
    path("portal/payouts/statements", payouts.run_statements, name="run-statements"),
    path("portal/payouts/<slug:payout_id>", payouts.show_payout, name="payout"),
    path(
        "portal/statements/<slug:settlement_id>.<slug:kind>",
        payouts.hand_out_statement,
        name="statement-file",
    ),
    path("portal/accounts", accounts.list_accounts, name="accounts"),
    path("portal/accounts/new", accounts.add_account, name="account-new"),
    path("portal/accounts/new/<slug:payee>", accounts.add_account, name="account-of"),
    path(
        "portal/accounts/<slug:account_id>/cancel", accounts.cancel_account, name="account-cancel"
    ),
    path("portal/debts", debts.list_debts, name="debts"),
    path("portal/sellers", sellers.list_sellers, name="sellers"),
    path("portal/sellers/new", sellers.add_seller, name="seller-new"),
    path("portal/sellers/<slug:merchant_id>", sellers.show_seller, name="seller"),
    path("portal/keys", keys.list_keys, name="keys"),
    path("portal/keys/new", keys.add_key, name="key-new"),
    path("portal/keys/<slug:public_id>/roll", keys.roll_key, name="key-roll"),
    path("portal/keys/<slug:public_id>/revoke", keys.revoke_key, name="key-revoke"),
    path("portal/webhooks", hooks.list_endpoints, name="webhooks"),
    path("portal/webhooks/new", hooks.add_endpoint, name="webhook-new"),
    path("portal/webhooks/<slug:endpoint_id>", hooks.change_endpoint, name="webhook"),
    path(
        "portal/webhooks/<slug:endpoint_id>/<slug:act>", hooks.act_on_endpoint, name="webhook-act"
    ),
    path("portal/deliveries/<slug:delivery_id>", hooks.show_delivery, name="delivery"),
    path("portal/deliveries/<slug:delivery_id>/resend", hooks.resend, name="delivery-resend"),
    path("portal/events", hooks.list_events, name="events"),
    path("portal/clock", testing.move_clock, name="clock"),
    path("portal/side", testing.switch_side, name="side"),
    path("portal/orders/<slug:order_id>/ship", order_acts.ship, name="ship-order"),
    path("portal/orders/<slug:order_id>/parcels", order_acts.add_parcel, name="add-parcel"),
    path(
        "portal/orders/<slug:order_id>/parcels/<slug:parcel_id>",
        order_acts.correct_parcel,
        name="correct-parcel",
    ),
    path("portal/orders/<slug:order_id>/extend", order_acts.extend, name="extend-order"),
    path("portal/orders/<slug:order_id>/cancel", order_acts.cancel, name="cancel-order"),
    path("portal/orders/<slug:order_id>/refund", order_acts.refund, name="refund-order"),
    path("portal/orders/<slug:order_id>/receipt", order_acts.download_receipt, name="receipt"),
    path("portal/jobs", jobs.list_jobs, name="jobs"),
    path("portal/jobs/<slug:job_id>", jobs.show_job, name="job"),
    path("portal/jobs/<slug:job_id>/<slug:role>", jobs.download_file, name="job-file"),
    path("o/<slug:order_id>", buyer_orders.show_order, name="buyer-order"),
    path("o/<slug:order_id>/confirm", buyer_orders.confirm_receipt, name="buyer-confirm"),
    path("o/<slug:order_id>/extend", buyer_orders.take_more_time, name="buyer-extend"),
    path("o/<slug:order_id>/pay", cashier.pay_order, name="buyer-pay"),
    path("o/<slug:order_id>/complain", buyer_disputes.complain, name="buyer-complain"),
    path("o/<slug:order_id>/dispute", buyer_disputes.show_dispute, name="buyer-dispute"),
    path("o/<slug:order_id>/dispute/accept", buyer_disputes.accept_offer, name="buyer-accept"),
    path("o/<slug:order_id>/dispute/decline", buyer_disputes.decline_offer, name="buyer-decline"),
    path("o/<slug:order_id>/dispute/withdraw", buyer_disputes.withdraw, name="buyer-withdraw"),
    path("o/<slug:order_id>/dispute/return", buyer_disputes.send_back, name="buyer-return"),
    path("o/<slug:order_id>/dispute/files", buyer_disputes.add_file, name="buyer-files"),
    path(
        "o/<slug:order_id>/dispute/files/<slug:evidence_id>",
        buyer_disputes.download_file,
        name="buyer-file",
    ),
    path("o/<slug:order_id>/<str:token>", buyer_orders.open_order, name="buyer-link"),
    path("pay/<slug:payment_id>", cashier.show_payment, name="payment"),
    path("pay/<slug:payment_id>/otherwise", cashier.pay_otherwise, name="pay-otherwise"),
    path("pay/<slug:payment_id>/state", cashier.show_state, name="payment-state"),
    path("pay/<slug:payment_id>/<str:right>", cashier.open_payment, name="payment-link"),
]
