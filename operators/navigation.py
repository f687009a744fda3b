"""The operators' menu, by what people look for and not by app."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

# Group -> (title, app and model, icon).
MENU: list[tuple[Text, list[tuple[Text, str, str]]]] = [
    (
        _("Money"),
        [
            (_("Payouts"), "payouts_payout", "payments"),
            (_("Settlements"), "payouts_settlement", "receipt_long"),
            (_("Holds"), "escrow_hold", "lock"),
            (_("Releases"), "escrow_release", "call_split"),
            (_("Refunds"), "escrow_refund", "undo"),
            (_("Bank refunds"), "escrow_bankrefund", "assured_workload"),
            (_("Disputes"), "escrow_dispute", "gavel"),
            (_("Debts"), "escrow_debt", "money_off"),
            (_("Freezes"), "escrow_freeze", "ac_unit"),
            (_("Rolling reserve"), "escrow_reserveslice", "savings"),
            (_("Surplus"), "escrow_surplus", "add_circle"),
            (_("Remittances"), "escrow_remittance", "account_balance"),
        ],
    ),
    (
        _("Orders"),
        [
            (_("Orders"), "orders_order", "shopping_bag"),
            (_("Payments"), "orders_payment", "credit_card"),
        ],
    ),
    (
        _("Merchants"),
        [
            (_("Merchants"), "merchants_merchant", "storefront"),
            (_("Platforms"), "merchants_platform", "hub"),
            (_("Bank accounts"), "merchants_bankaccount", "account_balance_wallet"),
            (_("Payout schedules"), "payouts_payoutschedule", "event_repeat"),
            (_("Proposed changes"), "merchants_proposal", "rule"),
            (_("Commission plans"), "merchants_commissionplan", "percent"),
            (_("Commission rules"), "merchants_commissionrule", "rule"),
            (_("Further parties"), "merchants_party", "group"),
            (_("API keys"), "merchants_apikey", "key"),
            (_("Users"), "merchants_user", "group"),
            (_("Invitations"), "merchants_invitation", "person_add"),
            (_("Branding"), "merchants_branding", "palette"),
        ],
    ),
    (
        _("Channels"),
        [
            (_("Inbox"), "channels_inboundnotification", "inbox"),
            (_("Events"), "notifications_event", "bolt"),
            (_("Deliveries"), "notifications_delivery", "outgoing_mail"),
            (_("Delivery attempts"), "notifications_deliveryattempt", "history"),
            (_("Webhook endpoints"), "notifications_webhookendpoint", "webhook"),
            (_("Choices of mails"), "notifications_mailchoice", "tune"),
        ],
    ),
    (
        _("Books"),
        [
            (_("Journal"), "ledger_journalentry", "menu_book"),
            (_("Manual entries"), "escrow_correction", "edit_note"),
            (_("Accounts"), "ledger_account", "account_tree"),
            (_("Account classes"), "ledger_accountclass", "category"),
            (_("Routes"), "ledger_route", "alt_route"),
        ],
    ),
]

# Pages of no model: title, name, icon, the right to open it (as in operators/pages.py).
PAGES: list[tuple[Text, str, str, str]] = [
    (_("Onboarding"), "onboarding", "how_to_reg", "merchants.view_merchant"),
    (_("Audit trail"), "trail", "history", "merchants.view_user"),
    (_("System health"), "health", "monitor_heart", "notifications.view_delivery"),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu for one person: only what that person may see."""
    overview = _page(request, _("Overview"), "admin:index", "dashboard")
    pages = [
        _page(request, title, f"operators:{name}", icon)
        for title, name, icon, permission in PAGES
        if request.user.has_perm(permission)
    ]
    groups: list[dict[str, Any]] = [{"items": [overview, *pages]}]
    for title, entries in MENU:
        items = [_item(*entry) for entry in entries if _may_see(request, entry[1])]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _page(request: HttpRequest, title: Text, name: str, icon: str) -> dict[str, Any]:
    link = reverse(name)
    return {"title": title, "icon": icon, "link": link, "active": request.path == link}


def _item(title: Text, page: str, icon: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{page}_changelist")}


def _may_see(request: HttpRequest, page: str) -> bool:
    app, model = page.split("_")
    may = request.user.has_perm
    return may(f"{app}.view_{model}") or may(f"{app}.change_{model}")
