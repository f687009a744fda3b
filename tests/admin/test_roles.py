"""Why: who may look may not decide, and nobody's role may grow by accident. Every page and every
action of the admin stands in one of the tables below; a new one fails until it does.
"""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from merchants.models import User
from operators import roles
from operators.roles import Role
from tests import ground
from tests.admin.conftest import pending_payout, url
from tests.factories import UserFactory
from tests.signing import sign_in
from tests.world import World

F, S, R, A = Role.FINANCE, Role.SUPPORT, Role.RISK, Role.AUDITOR
NOBODY: set[Role] = set()

# Page -> who may open it, besides administrators.
PAGES: dict[str, set[Role]] = {
    "account_emailaddress": NOBODY,
    "auth_group": NOBODY,
    "mfa_authenticator": NOBODY,
    "usersessions_usersession": NOBODY,
    "notifications_webhooksecret": NOBODY,
    "merchants_invitation": NOBODY,
    "merchants_branding": NOBODY,
    "notifications_mailchoice": NOBODY,
    "merchants_user": {A},
    "merchants_apikey": {A},
    "merchants_platform": {F, S, R, A},
    "merchants_merchant": {F, S, R, A},
    "merchants_party": {F, S, R, A},
    "merchants_bankaccount": {F, R, A},
    "merchants_proposal": {F, A},
    "merchants_commissionplan": {F, A},
    "merchants_commissionrule": {F, A},
    "ledger_account": {F, A},
    "ledger_accountclass": {F, A},
    "ledger_journalentry": {F, A},
    "ledger_route": {F, A},
    "channels_inboundnotification": {S, A},
    "notifications_event": {S, A},
    "notifications_delivery": {S, A},
    "notifications_deliveryattempt": {S, A},
    "notifications_webhookendpoint": {S, A},
    "orders_order": {F, S, R, A},
    "orders_payment": {F, S, R, A},
    "escrow_hold": {F, S, R, A},
    "escrow_release": {F, S, R, A},
    "escrow_refund": {F, S, R, A},
    "escrow_surplus": {F, S, R, A},
    "escrow_dispute": {F, S, R, A},
    "escrow_correction": {F, A},
    "escrow_debt": {F, R, A},
    "escrow_bankrefund": {F, R, A},
    "escrow_remittance": {F, R, A},
    "escrow_reserveslice": {F, R, A},
    "escrow_freeze": {F, R, A},
    "payouts_settlement": {F, S, R, A},
    "payouts_payout": {F, S, R, A},
    "payouts_payoutschedule": {F, S, R, A},
}

# Action -> who may call it, besides administrators.
ACTIONS: dict[str, set[Role]] = {
    "merchants_platform_create": NOBODY,
    "merchants_merchant_create": {S},
    "merchants_platform_set_cooloff": NOBODY,
    "merchants_bankaccount_create": {F},
    "merchants_bankaccount_cancel": {F, R},
    "merchants_apikey_create": NOBODY,
    "merchants_apikey_roll": NOBODY,
    "merchants_apikey_revoke": NOBODY,
    "merchants_party_create": {F},
    "merchants_proposal_approve": {F},
    "merchants_proposal_drop": {F},
    "merchants_commissionplan_create": {F},
    "merchants_commissionplan_import_rules": {F},
    "merchants_commissionplan_history_page": {F, A},
    "merchants_commissionplan_set_refund_policy": {F},
    "merchants_commissionplan_set_reserve": {F},
    "merchants_commissionplan_set_guarantee": {F},
    "merchants_commissionrule_create": {F},
    "merchants_commissionrule_end": {F},
    "channels_inboundnotification_retry": {S},
    "notifications_delivery_retry": {S},
    "orders_order_what_if": {F, S, R, A},
    "escrow_hold_freeze": {R},
    "escrow_refund_reroute": {F},
    "escrow_refund_ask_again": {F},
    "escrow_bankrefund_approve": {F},
    "escrow_bankrefund_drop": {F},
    "escrow_bankrefund_claim": {F},
    "escrow_bankrefund_confirm": {F},
    "escrow_correction_create": {F},
    "escrow_correction_approve": {F},
    "escrow_correction_drop": {F},
    "escrow_debt_ask": {F},
    "escrow_debt_repay": {F},
    "escrow_debt_propose": {F},
    "escrow_debt_write_off": {F},
    "escrow_debt_keep": {F},
    "escrow_dispute_propose": {S, R},
    "escrow_dispute_approve": {S, R},
    "escrow_freeze_freeze_order": {R},
    "escrow_freeze_freeze_seller": {R},
    "escrow_freeze_freeze_payout": {R},
    "escrow_freeze_propose": {R},
    "escrow_freeze_lift": {R},
    "escrow_freeze_keep": {R},
    "payouts_payout_approve": {F},
    "payouts_payout_refuse": {F},
    "payouts_payout_freeze": {R},
    "payouts_payout_replace": {F},
    "payouts_payout_claim": {F},
    "payouts_payout_confirm": {F},
    "payouts_payoutschedule_edit": {F},
}
READS = {"merchants_commissionplan_history_page", "orders_order_what_if"}


def registered() -> dict[str, Any]:
    return {
        f"{model._meta.app_label}_{model._meta.model_name}": shown
        for model, shown in admin.site._registry.items()
    }


def called_by(shown: Any) -> list[str]:
    """The names of a page's actions; those of a library's own pages are plain Django ones."""
    names = ("actions_list", "actions_detail", "actions_row", "actions_submit_line")
    return [action for name in names for action in getattr(shown, name, ())]


def actions() -> dict[str, str]:
    """Every action of every page, with an address: one of a row that is not there."""
    found = {}
    for name, shown in registered().items():
        for action in getattr(shown, "actions_list", ()):
            found[f"{name}_{action}"] = url(f"{name}_{action}")
        for action in getattr(shown, "actions_detail", ()):
            found[f"{name}_{action}"] = url(f"{name}_{action}", "0")
    return found


def member(role: Role | None) -> User:
    user: User = UserFactory(is_staff=True)
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    return user


def test_tables_name_every_page_and_every_action_and_no_other(db: None) -> None:
    assert set(PAGES) == set(registered())
    assert set(ACTIONS) == set(actions())


def test_every_action_states_the_permission_it_needs(db: None) -> None:
    bare = [
        f"{name}_{action}"
        for name, shown in registered().items()
        for action in called_by(shown)
        if not getattr(getattr(shown, action), "allowed_permissions", ())
    ]

    assert bare == []


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_role_opens_its_pages_and_calls_its_actions_and_no_other(
    role: Role | None, market: World
) -> None:
    client = sign_in(member(role))

    opened = {name for name in PAGES if client.get(url(f"{name}_changelist")).status_code == 200}
    called = {name for name, where in actions().items() if client.post(where).status_code != 403}
    added = {name for name in PAGES if client.get(url(f"{name}_add")).status_code != 403}

    assert opened == {name for name, may in PAGES.items() if role in may}
    assert called == {name for name, may in ACTIONS.items() if role in may}
    assert added == set()


def test_role_deletes_nothing_and_touches_no_user_key_or_role() -> None:
    given = {
        f"{verb}_{model}"
        for rights in roles.ROLES.values()
        for verb, models in rights.items()
        for model in models
        if verb != "view"
    }

    assert not [right for right in given if right.startswith("delete")]
    assert not [right for right in given if right.split(".")[1] in ("user", "apikey", "group")]
    assert set(roles.ROLES[Role.AUDITOR]) == {"view"}


def snapshot() -> dict[type[Model], list[Any]]:
    """Everything that people and money are about."""
    return {
        model: list(model._default_manager.order_by("pk").values_list())
        for label in roles.APPS
        for model in apps.get_app_config(label).get_models()
    }


def test_auditor_changes_nothing_anywhere(full: World) -> None:
    client = sign_in(member(Role.AUDITOR))
    before = snapshot()

    for name in registered():
        model = apps.get_model(name.replace("_", ".", 1))
        row = model._default_manager.order_by("pk").first()
        key = row.pk if row else "0"
        for verb, keys in (("add", []), ("change", [key]), ("delete", [key])):
            posted = client.post(url(f"{name}_{verb}", *keys), {"post": "yes", "name": "x"})
            assert posted.status_code in (302, 403), (name, verb)
        shown = registered()[name]
        for action in getattr(shown, "actions_detail", ()):
            if f"{name}_{action}" not in READS:
                assert client.post(url(f"{name}_{action}", key)).status_code == 403, action
        client.post(url(f"{name}_changelist"), {"action": "delete_selected", "post": "yes"})

    assert snapshot() == before


def test_buttons_are_there_for_the_role_that_may_and_for_no_other(market: World) -> None:
    payout = pending_payout(market)

    def offered(role: Role) -> list[str]:
        shown = sign_in(member(role)).get(url("payouts_payout_change", payout.pk))
        text = shown.content.decode()
        decisions = ("approve", "refuse", "freeze")
        return [each for each in decisions if url(f"payouts_payout_{each}", payout.pk) in text]

    assert offered(F) == ["approve", "refuse"]
    assert offered(R) == ["freeze"]
    assert offered(S) == offered(A) == []


def test_buttons_are_there_for_whoever_comes_from_the_list(market: World) -> None:
    payout = pending_payout(market)
    client = sign_in(member(F))

    listed = client.get(url("payouts_payout_changelist")).content.decode()
    address = url("payouts_payout_change", quote(payout.pk))
    shown = client.get(address).content.decode()

    assert address in listed
    assert address != url("payouts_payout_change", payout.pk)
    assert url("payouts_payout_approve", payout.pk) in shown


def test_refused_role_moves_no_money(market: World) -> None:
    payout = pending_payout(market)
    books = ground.trial()

    for role in (S, R, A):
        client: Client = sign_in(member(role))
        posted = client.post(url("payouts_payout_approve", payout.pk), {"reason": "why"})
        assert posted.status_code == 403

    payout.refresh_from_db()
    assert payout.state == "PENDING"
    assert ground.trial() == books


def test_database_holds_exactly_what_the_table_says(db: None) -> None:
    for role, rights in roles.ROLES.items():
        written = Permission.objects.filter(group__name=role.value)
        names = {
            (each.content_type.app_label, each.codename)
            for each in written.select_related("content_type")
        }
        assert names == {
            (model.split(".")[0], f"{verb}_{model.split('.')[1]}")
            for verb, models in rights.items()
            for model in models
        }


def test_roles_written_again_stay_as_they_are_and_lose_what_was_added(db: None) -> None:
    auditors = Group.objects.get(name=Role.AUDITOR.value)
    held = set(auditors.permissions.all())
    auditors.permissions.add(Permission.objects.get(codename="change_payout"))

    roles.write_roles()

    assert set(auditors.permissions.all()) == held
    assert Group.objects.filter(name__in=[role.value for role in Role]).count() == 4


def test_operator_without_a_role_sees_an_empty_desk(market: World) -> None:
    pending_payout(market)

    shown = sign_in(member(None)).get(reverse("admin:index"))

    assert shown.status_code == 200
    assert "money" not in shown.context
    assert "recent" not in shown.context
    assert shown.context["waiting"] == shown.context["glances"] == []
