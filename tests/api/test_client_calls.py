"""Why: a client whose every name is right may still misread a real answer.

Every operation of clients/python is called once against the API itself. The client reads strictly:
an answer of another shape is an error there.
"""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from demo import clockwork
from escrow.services.remittance import record_topup
from holdfast import (
    Conflict,
    Holdfast,
    Invalid,
    NotAuthenticated,
    NotFound,
    models,
    params,
    receipts,
)
from holdfast._operations import Declaration
from merchants import services as merchants
from tests.api.shop import Shop
from tests.api.test_client_contract import operations
from tests.world import PAYS, RAIL, START, add_payee

LINES: Any = [{"title": "西湖龙井", "amount_minor": 9001, "category": "tea", "quantity": 3}]
LATER = START + timedelta(days=1)


@pytest.fixture
def client(shop: Shop) -> Iterator[Holdfast]:
    transport = httpx.WSGITransport(app=get_wsgi_application(), raise_app_exceptions=False)
    with httpx.Client(transport=transport) as http:
        yield Holdfast(shop.key, "http://testserver", http=http)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[Declaration]:
    """The operations that were called since."""
    found: set[Declaration] = set()
    ask = Declaration.call

    def call(self: Declaration, *given: Any) -> Any:
        found.add(self)
        return ask(self, *given)

    monkeypatch.setattr(Declaration, "call", call)
    return found


@pytest.fixture
def dead_port(settings: Any) -> Iterator[int]:
    """A port of this machine that nobody listens on."""
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_every_operation_understands_its_answer(
    client: Holdfast, shop: Shop, called: set[Declaration], dead_port: int
) -> None:
    endpoint = client.webhook_endpoints.create(
        url=f"http://127.0.0.1:{dead_port}/hooks", event_types=["order.created"]
    )
    begin(client)
    sell(client)
    price(client, shop)
    order = buy_and_ship(client, shop)
    follow_the_money(client, shop, order)
    try_other_ways(client, shop)
    quarrel(client, shop)
    owe(client, shop, order)
    hear_of_it(client, shop, endpoint)
    play(client, shop)

    missed = [name for name, _, declared in operations() if declared not in called]
    assert missed == []


def begin(client: Holdfast) -> None:
    """On a platform of its own: each has one plan in force."""
    platform = merchants.create_platform(
        name="New", slug="new", service_fee_bps=60, currency="CNY", at=START
    )
    _row, key = merchants.create_api_key(platform=platform, name="new", at=START)
    beginner = Holdfast(key, "http://testserver", http=client._http)

    assert beginner.commission_plans.create(name="Standard").rules == ()


def sell(client: Holdfast) -> None:
    merchant = client.merchants.create(reference="paper", name="Paper House", language="zh-hans")
    account = client.bank_accounts.create(
        merchant=merchant.id,
        currency="CNY",
        holder_name="Paper House",
        bank_code="102100099996",
        account_number=PAYS,
    )

    assert client.merchants.retrieve(merchant.id).onboarding.status in ("pending", "ready")
    assert client.merchants.update(merchant.id, active=False).active is False
    assert {each.reference for each in client.merchants.list(limit=1)} == {"paper", "s0"}
    assert client.bank_accounts.retrieve(account.id) == account
    assert client.bank_accounts.list(merchant=merchant.id).first() == account
    with pytest.raises(Conflict, match="does not wait"):
        client.bank_accounts.cancel(account.id)


def price(client: Holdfast, shop: Shop) -> None:
    with pytest.raises(Conflict, match="in force"):
        client.commission_plans.create(name="Another one")
    [plan] = client.commission_plans.list()
    plan = client.commission_plans.update(plan.id, guarantee_days=7, reserve_days=0)
    assert (plan.guarantee_days, plan.reserve_days) == (7, 0)
    tried = client.commission_plans.import_rules(plan.id, csv="currency,rate_bps\nUSD,x\n")
    assert (tried.applied, tried.count, tried.errors[0].column) == (False, 0, "rate_bps")
    party = client.parties.create(reference="carrier", name="Carrier")
    assert client.parties.retrieve(party.id) == party
    assert client.parties.list(reference="carrier").first() == party
    rule = client.commission_plans.add_rule(
        plan.id,
        currency="CNY",
        rate_bps=700,
        category="tea",
        parties=[{"party": party.id, "rate_bps": 1}],
        tiers=[{"from_minor": 10**9, "rate_bps": 300}],
    )
    assert (rule.parties[0].name, rule.tiers[0].rate_bps) == ("Carrier", 300)
    following = client.commission_rules.replace(rule.id, rate_bps=600, effective_from=LATER)

    rules = {each.id: each for each in client.commission_plans.rules(plan.id)}
    assert (rules[rule.id].effective_to, rules[following.id].effective_from) == (LATER, LATER)
    assert {each.id for each in client.commission_plans.retrieve(plan.id).rules} == set(rules)
    explained = client.commission_plans.explain(
        plan.id, merchant=shop.merchants[0].id, currency="CNY", lines=[{"amount_minor": 10001}]
    )
    assert explained.amount_minor == 10001
    assert explained.explanation[0].sentence
    compared = client.commission_plans.what_if(
        plan.id, rules=[{"currency": "CNY", "rate_bps": 100}], created_from=START
    )
    assert compared.orders == ()
    assert client.commission_rules.end(following.id, effective_to=LATER).effective_to is not None


def buy_and_ship(client: Holdfast, shop: Shop) -> models.CreatedOrder:
    order = client.orders.create(
        reference="A-1001",
        merchant=shop.merchants[0].id,
        currency="CNY",
        lines=LINES,
        shipping_minor=1000,
        buyer={"name": "王芳"},
        ship_by=LATER,
        metadata={"cart": "c-17"},
    )
    payment = client.payments.create(orders=[order.id], channel="sandbox")
    paid = client.sandbox.pay(payment.id)
    shop.sandbox.tick()

    assert (paid.id, payment.amount_minor, payment.orders[0].order) == (
        payment.id, 10001, order.id,
    )  # fmt: skip
    assert client.payments.retrieve(payment.id).state == "SUCCEEDED"
    assert client.payments.list(order=order.id, state=["SUCCEEDED"]).first() is not None
    extended = client.orders.extend(order.id, ship_by=LATER + timedelta(days=2))
    assert extended.deadlines.ship_by == LATER + timedelta(days=2)
    client.orders.ship(
        order.id,
        carrier="SF Express",
        tracking_number="SF1",
        further=[{"carrier": "SF Express", "tracking_number": "SF2"}],
    )
    client.orders.add_parcel(order.id, carrier="SF Express", tracking_number="SF3")
    parcel = client.orders.retrieve(order.id).shipments[0]
    mended = client.orders.correct_parcel(
        order.id, parcel.id, carrier="SF Express", tracking_number="SF9"
    )
    assert sorted(each.tracking_number for each in mended.shipments)[-1] == "SF9"
    assert mended.metadata == {"cart": "c-17"}
    [listed] = client.orders.list(state="SHIPPED", expand=["merchant"])
    assert isinstance(listed.merchant, models.Merchant)
    longer = client.orders.extend_receipt(order.id, token=order.buyer_token)
    assert longer.confirm_by == START + timedelta(days=15)
    assert client.orders.confirm(order.id, token=order.buyer_token).confirmed_at == START
    with pytest.raises(Conflict, match="CONFIRMED"):
        client.orders.confirm(order.id, token=order.buyer_token)
    return order


def follow_the_money(client: Holdfast, shop: Shop, order: models.CreatedOrder) -> None:
    shop.sandbox.channel.remittances.cut(START.timestamp())
    shop.sandbox.tick()
    clockwork.run_sweeps(at=START)

    hold = client.holds.list(order=order.id).first()
    assert hold is not None
    assert client.holds.retrieve(hold.id).remaining_minor == 0
    release = client.releases.list(order=order.id).first()
    assert release is not None
    assert sum(line.amount_minor for line in client.releases.retrieve(release.id).lines) == 10001
    signed = client.releases.receipt(release.id)
    [key] = client.releases.receipt_keys()
    assert receipts.verify(signed.raw, key.public_key)["order"] == signed.receipt["order"]
    payout = client.payouts.list(merchant=shop.merchants[0].id).first()
    assert payout is not None
    whole = client.payouts.retrieve(payout.id, expand=["settlement"])
    assert isinstance(whole.settlement, models.Settlement)
    statement = client.settlements.retrieve(whole.settlement.id)
    assert [line.order for line in statement.lines] == [order.id]
    assert client.settlements.list(currency="CNY").first() is not None
    assert {each.payee for each in client.balances.all()} >= {"MERCHANT"}


def try_other_ways(client: Holdfast, shop: Shop) -> None:
    add_payee(shop.platform, None, PAYS, at=START)
    wanted: Any = {"merchant": shop.merchants[0].id, "currency": "CNY", "lines": LINES}
    links = client.orders.create_many(
        orders=[{"reference": "B-1", **wanted}, {"reference": "B-2", **wanted}]
    )
    assert [link.reference for link in links] == ["B-1", "B-2"]
    payment = client.payments.create(orders=[links[0].id], channel="sandbox")
    client.sandbox.pay(payment.id)
    shop.sandbox.tick()
    canceled = client.orders.cancel(links[0].id, reason="MERCHANT")

    assert (canceled.status, canceled.cancel_reason) == ("refunding", "MERCHANT")
    third = client.orders.create(reference="B-3", **wanted)
    payment = client.payments.create(orders=[third.id], channel="sandbox")
    client.sandbox.pay(payment.id)
    shop.sandbox.tick()
    line = params.LineRefund(position=1, amount_minor=1)
    part = client.refunds.create(order=third.id, reason="scratched", lines=[line])
    assert (part.order, part.amount_minor, part.lines[0].position) == (third.id, 1, 1)
    refund = client.refunds.list(order=links[0].id).first()
    assert refund is not None
    assert client.refunds.retrieve(refund.id).amount_minor == 9001


def quarrel(client: Holdfast, shop: Shop) -> None:
    one, two = shop.shipped_order(), shop.shipped_order()
    photo, token = b"the lid is broken", one["buyer_token"]
    opened = client.buyer_disputes.create(one["id"], token=token, reason="DAMAGED", lines=[1])
    assert (opened.state, opened.asked_minor, opened.lines) == ("OPEN", 10001, (1,))
    mine = client.buyer_disputes.add_evidence(one["id"], token=token, name="lid", content=photo)
    theirs = client.disputes.add_evidence(opened.id, name="our lid", content=photo + b"?")
    assert client.disputes.read_evidence(opened.id, mine.id) == photo
    seen = client.buyer_disputes.read_evidence(one["id"], token=token, evidence=theirs.id)
    assert seen == photo + b"?"
    offered = client.disputes.answer(
        opened.id, answer="OFFER", offer_minor=3333, needs_return=True, text="Send it back"
    )
    assert offered.waits_for == "BUYER"
    client.buyer_disputes.answer_offer(one["id"], token=token, accept=True)
    client.buyer_disputes.send_back(one["id"], token=token, carrier="SF", tracking_number="SF7")
    ended = client.disputes.conclude_return(opened.id, received=True)
    assert (ended.resolution, ended.resolved_minor) == ("PARTIAL", 3333)
    assert client.buyer_disputes.retrieve(one["id"], token=token) == ended
    second = client.disputes.create(order=two["id"], reason="OTHER")
    assert client.disputes.list(state=["OPEN"]).first() == second
    client.buyer_disputes.withdraw(two["id"], token=two["buyer_token"], text="found it")
    assert client.disputes.retrieve(second.id).state == "WITHDRAWN"


def owe(client: Holdfast, shop: Shop, order: models.CreatedOrder) -> None:
    record_topup(
        custodian=RAIL,
        bank_reference="T1",
        amount_minor=20000,
        currency="CNY",
        at=shop.sandbox.clock.now,
    )
    refund = client.refunds.create(order=order.id, reason="broken")

    debt = client.debts.list(merchant=shop.merchants[0].id).first()

    assert debt is not None
    assert (debt.refund, debt.dispute, debt.order) == (refund.id, None, order.id)
    assert client.debts.retrieve(debt.id) == debt
    with pytest.raises(Conflict) as refused:
        client.sandbox.pay_debt(debt.id, amount_minor=1)
    assert refused.value.code == "debt_not_asked_for"


def hear_of_it(client: Holdfast, shop: Shop, endpoint: models.CreatedWebhookEndpoint) -> None:
    assert endpoint.secret.startswith("whsec_")
    assert client.webhook_endpoints.retrieve(endpoint.id).failing_since is not None
    assert client.webhook_endpoints.list().first() is not None
    assert client.webhook_endpoints.update(endpoint.id, description="Shop").description == "Shop"
    assert client.webhook_endpoints.roll_secret(endpoint.id).secret != endpoint.secret
    assert client.webhook_endpoints.ping(endpoint.id).type == "webhook_endpoint.ping"
    assert client.webhook_endpoints.resend(endpoint.id, since=START).deliveries >= 1
    event = client.events.list(type="order.created").first()
    assert event is not None
    assert client.events.retrieve(event.id).data["order"] == event.subject
    delivery = [*client.deliveries.list(endpoint=endpoint.id, expand=["event"])][-1]
    assert isinstance(delivery.event, models.Event)
    assert client.deliveries.retrieve(delivery.id).log[0].error == "CONNECTION_FAILED"
    assert client.deliveries.resend(delivery.id).state == "PENDING"
    client.webhook_endpoints.delete(endpoint.id)
    with pytest.raises(NotFound):
        client.webhook_endpoints.retrieve(endpoint.id)


def play(client: Holdfast, shop: Shop) -> None:
    before = client.sandbox.clock()
    report = client.sandbox.advance_clock(seconds=3600)

    assert (before.now, before.moved) == (START, False)
    assert report.reached_at == START + timedelta(hours=1)
    assert "order.expired" in {each.type for each in report.fired}
    assert client.sandbox.clock().moved is True


def test_same_key_has_one_effect_and_another_body_is_refused(client: Holdfast, shop: Shop) -> None:
    def create(reference: str) -> models.CreatedOrder:
        return client.orders.create(
            reference=reference,
            merchant=shop.merchants[0].id,
            currency="CNY",
            lines=LINES,
            idempotency_key="cart-17",
        )

    first = create("A-1")

    assert create("A-1") == first
    assert create("A-1").buyer_token == first.buyer_token
    with pytest.raises(Invalid) as raised:
        create("A-2")
    assert raised.value.code == "idempotency_key_reused"
    assert [order.id for order in client.orders.list()] == [first.id]


def test_pages_show_every_order_once(client: Holdfast, shop: Shop) -> None:
    made = [shop.create_order()["id"] for _ in range(7)]

    assert [order.id for order in client.orders.list(limit=3)] == sorted(made, reverse=True)
    assert [len(page.data) for page in client.orders.list(limit=3).by_page()] == [3, 3, 1]


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        (lambda client: client.orders.retrieve("ord_none"), NotFound, "order_not_found"),
        (lambda client: client.orders.list(limit=0).first(), Invalid, "query_parameter_invalid"),
        (
            lambda client: client.payments.create(orders=[], channel="sandbox"),
            Invalid,
            "request_invalid",
        ),
    ],
)
def test_refusals_are_errors_with_their_code(
    client: Holdfast, call: Callable[[Holdfast], Any], kind: type[Any], code: str
) -> None:
    with pytest.raises(kind) as raised:
        call(client)

    assert raised.value.code == code
    assert raised.value.request_id.startswith("req_")


def test_wrong_key_is_not_authenticated(client: Holdfast) -> None:
    stranger = Holdfast("sk_test_abcd1234_x", "http://testserver", http=client._http)

    with pytest.raises(NotAuthenticated):
        stranger.balances.all()
