"""Every page of the operators' door: who may open it, what it must not offer, what it escapes."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escrow.models import Remittance
from merchants.models import User
from orders.models import Order
from tests import ground
from tests.admin.conftest import HOSTILE, page, shown_models, url
from tests.world import World

MODELS = shown_models()
CHANGELIST_QUERIES = 12  # session, user, filters, count, rows, and what a page of rows needs
CHANGE_QUERIES = 33


def first(model: type[Model]) -> Model:
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"the market has no {model._meta.label}"
    return row


def addresses(model: type[Model]) -> list[str]:
    row = first(model)
    return [page(model, "changelist"), page(model, "change", row.pk)]


def test_every_page_opens_for_an_operator_and_escapes_what_came_from_outside(
    signed_in: Client, full: World
) -> None:
    shown = ""
    for model in MODELS:
        for address in addresses(model):
            answer = signed_in.get(address)
            assert answer.status_code == 200, address
            text = answer.content.decode()
            assert "<script>alert(" not in text, address
            assert "<img src=x" not in text, address
            shown += text
    dashboard = signed_in.get(reverse("admin:index")).content.decode()

    assert "<script>alert(" not in dashboard
    assert "&lt;script&gt;alert(" in dashboard
    assert "&lt;script&gt;alert(" in shown


def test_pages_are_closed_to_everybody_else(full: World) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.com", "long enough", is_staff=True)
    stranger = User.objects.create_user("stranger", "s@example.com", "long enough")

    for user, status in ((clerk, 403), (stranger, 302), (None, 302)):
        client = Client()
        if user:
            client.force_login(user)
        for model in MODELS:
            for address in addresses(model):
                assert client.get(address).status_code == status, (user, address)
        overview = client.get(reverse("admin:index"))
        assert overview.status_code == (200 if user is clerk else 302)
        assert "10,001" not in overview.content.decode()


def test_no_post_adds_changes_or_deletes_a_row(signed_in: Client, full: World) -> None:
    before = {model: list(model._default_manager.order_by("pk").values()) for model in MODELS}
    books = ground.trial()

    for model in MODELS:
        row = first(model)
        everything = {field.attname: "1" for field in model._meta.concrete_fields}
        for name, args in (("add", []), ("change", [row.pk]), ("delete", [row.pk])):
            answer = signed_in.post(page(model, name, *args), {**everything, "post": "yes"})
            assert answer.status_code == 403, (model, name)
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        signed_in.post(page(model, "changelist"), {**chosen, **everything, "_save": "Save"})

    assert before == {
        model: list(model._default_manager.order_by("pk").values()) for model in MODELS
    }
    assert ground.trial() == books


def test_pages_offer_no_button_to_add_save_or_delete(signed_in: Client, full: World) -> None:
    for model in MODELS:
        for address in addresses(model):
            text = signed_in.get(address).content.decode()
            for offered in ('name="_save"', "deletelink", "/add/", 'value="delete_selected"'):
                assert offered not in text, (offered, address)


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_lists_ask_the_same_number_of_queries_for_more_rows(signed_in: Client, full: World) -> None:
    few = {model: queries(signed_in, page(model, "changelist")) for model in MODELS}
    for _ in range(3):
        full.add_merchant()
        ground.released_order(full, full.merchants[-1])
        ground.open_refund(full, claimed=False)
        ground.remit(full, 101)
        full.create_order()
    ground.cut_payout(full, approval_above_minor=1)
    more = {model: queries(signed_in, page(model, "changelist")) for model in MODELS}

    assert more == few
    assert max(few.values()) <= CHANGELIST_QUERIES


def test_pages_and_dashboard_ask_a_bounded_number_of_queries(
    signed_in: Client, full: World
) -> None:
    asked = {
        model.__name__: queries(signed_in, page(model, "change", first(model).pk))
        for model in MODELS
    }
    dashboard = queries(signed_in, reverse("admin:index"))
    for _ in range(3):
        ground.released_order(full)

    assert max(asked.values()) <= CHANGE_QUERIES, asked
    assert queries(signed_in, reverse("admin:index")) == dashboard


def test_search_finds_by_id_and_by_reference_only_written_in_full(
    signed_in: Client, full: World
) -> None:
    order = Order.objects.order_by("pk").first()
    assert order is not None

    def found(model: str, term: str) -> int:
        answer = signed_in.get(url(f"{model}_changelist"), {"q": term})
        return len(answer.context["cl"].result_list)

    assert found("orders_order", order.pk) == found("orders_order", order.reference) == 1
    assert found("orders_order", order.reference[:-1]) == 0
    assert found("orders_order", "x' OR 1=1 --") == 0
    assert found("escrow_hold", order.pk) == 1
    remittance = Remittance.objects.get()
    assert found("escrow_remittance", remittance.provider_reference) == 1
    assert found("channels_inboundnotification", HOSTILE[:60]) == 1
    assert found("payouts_payoutschedule", order.merchant_id) == 1


def test_newest_orders_come_first_with_the_state_all_stations_agree_on(
    signed_in: Client, market: World
) -> None:
    old, new = ground.released_order(market), ground.paid_order(market)

    rows = signed_in.get(url("orders_order_changelist")).context["cl"].result_list

    assert [(row.pk, row.composed.value) for row in rows] == [
        (new.pk, "paid"),
        (old.pk, "released"),
    ]


def test_order_page_shows_split_timeline_and_journal(signed_in: Client, market: World) -> None:
    order = ground.released_order(market)

    text = signed_in.get(url("orders_order_change", order.pk)).content.decode()

    for shown in (
        "100.01 <small>CNY</small>",
        "94.91 <small>CNY</small>",
        "4.50 <small>CNY</small>",
        "0.60 <small>CNY</small>",
        "Receipt confirmed, released",
        f"merchant:{order.merchant_id}:payable",
        "Released and split",
        "SF1001",
    ):
        assert shown in text, shown


def test_dashboard_says_where_the_money_is_and_what_waits(signed_in: Client, full: World) -> None:
    context: Any = signed_in.get(reverse("admin:index")).context

    (yuan,) = context["money"]
    assert (yuan.currency, yuan.balanced, yuan.debit) == ("CNY", True, yuan.credit)
    amounts = {str(tile.label): tile.amount for tile in yuan.tiles}
    assert amounts["Held now"] == "200.02"
    assert amounts["Reserve"] == "300.01"
    waits = {str(each.label): each.count for each in context["waiting"]}
    assert waits == {
        "Payouts waiting for approval": "1",
        "Disputes to be decided": "1",
        "Freezes proposed to be lifted": "0",
        "Bank refunds waiting for approval": "1",
        "Write-offs to be decided": "0",
        "Manual entries waiting for approval": "1",
        "Proposed changes": "0",
        "Payouts unknown or parked": "0",
        "Bank refunds unknown": "0",
        "Refunds unknown": "0",
        "Refunds failed": "1",
        "Refunds paid twice": "0",
        "Flagged notifications": "1",
    }


def test_language_switch_turns_the_pages_chinese_and_back(signed_in: Client, full: World) -> None:
    overview = reverse("admin:index")

    def switch(language: str) -> str:
        signed_in.post(reverse("set_language"), {"language": language, "next": overview})
        order = Order.objects.order_by("pk").first()
        assert order is not None
        shown = (
            signed_in.get(overview).content
            + signed_in.get(url("orders_order_change", order.pk)).content
        )
        return shown.decode()

    chinese, english = switch("zh-hans"), switch("en")

    for word, wort in (
        ("总览", "Overview"),
        ("账簿平衡", "The books balance"),
        ("分账结果", "Who gets"),
    ):
        assert word in chinese
        assert word not in english
        assert wort in english
        assert wort not in chinese
