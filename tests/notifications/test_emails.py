"""A mail repeats the facts of its event, in the reader's language, and is nobody's tool."""

import copy
import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from merchants.models import Language, Merchant
from notifications import buyer_links, emails, events, services
from notifications.models import Audience, Event
from tests.factories import AT, MerchantFactory, PlatformFactory

FACTS: dict[str, Any] = {
    "order": "ord_1",
    "order_reference": "A-1",
    "amount_minor": 10_001,
    "currency": "CNY",
    "ship_by": "2026-11-26T08:00:00.000000+00:00",
    "confirm_by": "2026-12-05T08:30:00.000000+00:00",
    "buyer_email": "buyer@example.com",
    "item_titles": ["Longjing 250 g", "Gaiwan"],
    "reason": "NOT_SHIPPED",
    "by": "BUYER",
    "before": "2026-11-24T08:00:00.000000+00:00",
    "payout": "pyo_1",
    "payee": "MERCHANT",
    "party": None,
    "last_four": "8901",
    "endpoint": "whe_1",
    "url": "https://shop.example/hooks",
    "dispute": "dsp_1",
    "kind": "COMPLAINT",
    "asked_minor": 10_001,
    "answer": "OFFER",
    "offer_minor": 3333,
    "needs_return": True,
    "resolution": "PARTIAL",
    "resolved_minor": 3333,
    "due_at": "2026-11-25T08:00:00.000000+00:00",
    "dispute_state": "OPEN",
    "dispute_reason": "DAMAGED",
    "waits_for": "BUYER",
    "debit_request": "dbr_1",
    "debt": "dbt_1",
    "payment_reference": "DR7K3M9QXA",
    "open_minor": 6158,
    "custodian": "sandbox-bank",
    "account_name": "Holdfast reserve",
    "account_number": "DE02 1203 0000 0000 2020 51",
    "bank_name": "Sandbox Bank",
    "bank_code": "",
    "failing_since": "2026-11-18T08:00:00.000000+00:00",
    "bank_account": "bac_1",
    "other": "bac_0",
    "other_last_four": "0017",
    "effective_at": "2026-11-24T08:00:00.000000+00:00",
    "invitation": "inv_1",
    "round": 1,
    "email": "guest@example.com",
    "language": "en",
    "role": "FINANCE",
    "invited_by": "Wang",
    "expires_at": "2026-12-05T08:00:00.000000+00:00",
}
ADDRESSES = {
    Audience.BUYER: "buyer@example.com",
    Audience.SELLER: "seller@example.com",
    Audience.PLATFORM: "tech@example.com",
    Audience.INVITED: "guest@example.com",
}
WITHOUT_MONEY = (Audience.PLATFORM, Audience.INVITED)

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Merchant:
    platform = PlatformFactory(name="Tea House", name_zh="茶铺", contact_email="tech@example.com")
    return MerchantFactory(platform=platform, name="Longjing Garden", email="seller@example.com")


def tell(merchant: Merchant, type: str, /, **facts: Any) -> list[Any]:
    services.record_event(
        type=type,
        platform_id=merchant.platform_id,
        subject_id="ord_1",
        sequence=Event.objects.count() + 1,
        data={**FACTS, "merchant": merchant.id, **facts},
        at=AT,
    )
    services.relay_due_events(at=AT)
    return mail.outbox


def test_paid_order_tells_the_seller_what_to_ship_and_by_when(merchant: Merchant) -> None:
    [message] = tell(merchant, "order.paid")

    assert message.to == ["seller@example.com"]
    assert message.from_email == settings.DEFAULT_FROM_EMAIL
    assert message.subject == "Order A-1 is paid: ship by 2026-11-26 16:00 (Asia/Shanghai)"
    assert message.body == (
        "Dear Longjing Garden,\n\n"
        "order A-1 on Tea House has been paid (100.01 CNY). The money is held safely until the"
        " buyer confirms receipt.\n\n"
        "To be shipped:\n- Longjing 250 g\n- Gaiwan\n\n"
        "Please ship by 2026-11-26 16:00 (Asia/Shanghai). An order that is not shipped by then is"
        " canceled and refunded to the buyer.\n"
    )
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert "- Longjing 250 g<br>- Gaiwan" in html


def test_paid_order_tells_the_seller_in_chinese(merchant: Merchant) -> None:
    merchant.language = Language.CHINESE
    merchant.save()

    [message] = tell(merchant, "order.paid")

    assert message.subject == "订单 A-1 已付款，请在 2026-11-26 16:00 (Asia/Shanghai) 前发货"
    assert "茶铺 的订单 A-1 已付款（100.01 CNY）" in message.body
    assert '<html lang="zh-hans">' in message.alternatives[0][0]


def test_buyer_is_told_in_the_language_of_the_event_or_the_platform(merchant: Merchant) -> None:
    tell(merchant, "order.confirm_reminder", buyer_language="zh-hans")
    tell(merchant, "order.confirm_reminder", buyer_language="fr")
    tell(merchant, "order.confirm_reminder")

    assert [message.subject for message in mail.outbox] == [
        "您的订单 A-1 收到了吗？",
        "Has your order A-1 arrived?",
        "Has your order A-1 arrived?",
    ]
    assert "2026-12-05 16:30 (Asia/Shanghai)" in mail.outbox[1].body


@pytest.mark.parametrize("language", Language.values)
@pytest.mark.parametrize(
    ("type", "audience"), [(type, who) for type, told in emails.MAILS.items() for who in told]
)
def test_every_mail_can_be_written_in_every_language(
    merchant: Merchant, settings: Any, type: str, audience: Audience, language: str
) -> None:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["string_if_invalid"] = "MISSING"
    settings.TEMPLATES = templates
    merchant.language = merchant.platform.language = language
    merchant.platform.save()
    merchant.save()

    account = type.startswith("bank_account.")
    whose = {"merchant": None} if account and audience == Audience.PLATFORM else {}
    tell(
        merchant, type, buyer_language=language, language=language, reason="Account closed", **whose
    )

    [message] = [one for one in mail.outbox if one.to == [ADDRESSES[audience]]]
    names = {"dispute": "A-1", "order": "A-1", "payout": "pyo_1", "webhook_endpoint": "whe_1"}
    names |= {"debit_request": "DR7K3M9QXA", "bank_account": "8901", "invitation": "Wang"}
    name = names[type.split(".")[0]]
    assert name in message.body
    assert ("100.01 CNY" in message.body) == (audience not in WITHOUT_MONEY and not account)
    assert "MISSING" not in message.subject + message.body + message.alternatives[0][0]
    assert "{" not in message.body
    assert message.subject.isascii() == (language == Language.ENGLISH)


def test_canceled_order_names_the_reason(merchant: Merchant) -> None:
    tell(merchant, "order.canceled", reason="NOT_SHIPPED")
    tell(merchant, "order.canceled", reason="MERCHANT")

    bodies = [message.body for message in mail.outbox if message.to == ["buyer@example.com"]]
    assert "was not shipped in time" in bodies[0]
    assert "was canceled before it was shipped" in bodies[1]


def test_facts_cannot_inject_headers_markup_or_template_code(merchant: Merchant) -> None:
    [message] = tell(
        merchant,
        "order.paid",
        order_reference="A-1\r\nBcc: all@example.com",
        item_titles=["<script>alert(1)</script>\n\nDear bank", "{{ settings.SECRET_KEY }}"],
    )

    assert message.subject.startswith("Order A-1 Bcc: all@example.com is paid")
    assert message.message()["Bcc"] is None
    html = message.alternatives[0][0]
    assert "<script" not in html
    assert "- &lt;script&gt;alert(1)&lt;/script&gt; Dear bank<br>" in html
    assert "{{ settings.SECRET_KEY }}" in message.body


def test_every_mailed_type_is_a_listed_type() -> None:
    assert emails.MAILS.keys() <= events.EVENT_TYPES.keys() | events.PRIVATE_TYPES.keys()


def test_platform_is_told_that_its_endpoint_was_switched_off(merchant: Merchant) -> None:
    [message] = tell(merchant, "webhook_endpoint.disabled", reason="FAILING")

    assert message.subject == "Your webhook endpoint has been switched off"
    assert "Address: https://shop.example/hooks\n" in message.body
    assert "since 2026-11-18 16:00 (Asia/Shanghai)" in message.body


def test_platform_without_a_contact_is_not_told(merchant: Merchant) -> None:
    merchant.platform.contact_email = ""
    merchant.platform.save()

    assert tell(merchant, "webhook_endpoint.disabled", reason="FAILING") == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"needs_return": False}, "offers you 33.33 CNY.\n"),
        ({"needs_return": True}, "offers you 33.33 CNY when you send the goods back.\n"),
        ({"answer": "ACCEPT", "offer_minor": None}, "accepts: you get 100.01 CNY back."),
        ({"answer": "CONTEST"}, "decides by 2026-11-25 16:00 (Asia/Shanghai)"),
    ],
)
def test_buyer_is_told_what_the_seller_answered(
    merchant: Merchant, facts: dict[str, Any], told: str
) -> None:
    [message] = tell(merchant, "dispute.answered", **facts)

    assert message.to == ["buyer@example.com"]
    assert told in message.body


def test_order_whose_dispute_ended_is_told_of_once(merchant: Merchant) -> None:
    assert tell(merchant, "order.canceled", reason="DISPUTE") == []
    assert tell(merchant, "order.canceled", reason="CHARGEBACK") == []


def test_seller_is_asked_to_pay_with_amount_reference_date_and_account(merchant: Merchant) -> None:
    [message] = tell(merchant, "debit_request.created", amount_minor=9491, open_minor=9491)

    assert message.to == ["seller@example.com"]
    assert message.subject == "Please pay 94.91 CNY by 2026-11-25 16:00 (Asia/Shanghai)"
    assert (
        "Please pay by bank before 2026-11-25 16:00 (Asia/Shanghai):\n"
        "- account name: Holdfast reserve\n"
        "- account number: DE02 1203 0000 0000 2020 51\n"
        "- bank: Sandbox Bank\n"
        "- amount: 94.91 CNY\n"
        "- payment reference: DR7K3M9QXA\n"
    ) in message.body


def test_seller_is_reminded_of_what_is_left_in_its_language(merchant: Merchant) -> None:
    merchant.language = Language.CHINESE
    merchant.save()

    tell(merchant, "debit_request.created", amount_minor=9491, open_minor=9491)
    tell(merchant, "debit_request.reminder", amount_minor=9491, open_minor=6158)
    tell(merchant, "debit_request.withdrawn", amount_minor=9491, open_minor=0)

    assert [message.subject for message in mail.outbox] == [
        "请在 2026-11-25 16:00 (Asia/Shanghai) 前支付 94.91 CNY",
        "提醒：请在 2026-11-25 16:00 (Asia/Shanghai) 前支付 61.58 CNY",
        "无需再支付 DR7K3M9QXA",
    ]
    assert (
        "请在 2026-11-25 16:00 (Asia/Shanghai) 前通过银行付款：\n- 户名：Holdfast reserve\n"
        "- 账号：DE02 1203 0000 0000 2020 51\n- 开户行：Sandbox Bank\n- 金额：61.58 CNY\n"
        "- 付款附言：DR7K3M9QXA\n"
    ) in mail.outbox[1].body


def links_to_buyers() -> list[str]:
    return re.findall(r"http://\S+/o/\S+", "\n".join(message.body for message in mail.outbox))


@pytest.mark.parametrize("type", sorted(emails.ASKING))
def test_mail_that_asks_the_buyer_brings_a_link_of_its_own(merchant: Merchant, type: str) -> None:
    tell(merchant, type)

    [link] = links_to_buyers()
    path, _, right = link.removeprefix(settings.PUBLIC_URL).rpartition("/")
    assert path == "/o/ord_1"
    assert buyer_links.read(path, right) == AT + buyer_links.LIFETIME
    asked = next(each for each in mail.outbox if each.to == ["buyer@example.com"])
    [(html, _type)] = asked.alternatives
    assert f'href="{link}"' in html
    others = [each for each in mail.outbox if each is not asked]
    assert all("/o/" not in each.body for each in others)


@pytest.mark.parametrize(
    ("type", "facts"),
    [
        ("order.canceled", {}),
        ("dispute.resolved", {}),
        ("dispute.opened", {"kind": "CHARGEBACK"}),
        ("order.paid", {}),
    ],
)
def test_mail_that_asks_the_buyer_for_nothing_brings_no_link(
    merchant: Merchant, type: str, facts: dict[str, str]
) -> None:
    assert tell(merchant, type, **facts)

    assert links_to_buyers() == []
