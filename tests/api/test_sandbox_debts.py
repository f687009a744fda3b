"""Why: an integrator must see what a seller's payment of its debt does, exact, too small and too
large, before a real seller pays.
"""

from typing import Any

import pytest

from channels.models import InboundNotification
from escrow.services import debit_requests
from merchants import services as merchants
from merchants.models import Mode
from tests import ground
from tests.api.estate import Estate, Town
from tests.api.shop import Shop, all_rows, pointers, problem
from tests.world import START


@pytest.fixture
def shop(town: Town) -> Shop:
    return town.ours.shop


@pytest.fixture
def debt(town: Town) -> str:
    """The seller's oldest debt, of 95."""
    return oldest(town.ours)["id"]


def oldest(estate: Estate) -> dict[str, Any]:
    path = f"/v1/debts?merchant={estate.has['merchant']}"
    found: dict[str, Any] = estate.shop.get(path).json()["data"][-1]
    return found


def ask(shop: Shop, debt: str) -> None:
    operator, at = ground.operator("first"), shop.sandbox.clock.now
    debit_requests.request_debit(debt_id=debt, asked_by=operator, at=at)


def pay(shop: Shop, debt: str, amount_minor: Any, **headers: str) -> Any:
    answer = shop.post(f"/v1/sandbox/debts/{debt}/pay", {"amount_minor": amount_minor}, **headers)
    shop.sandbox.tick()
    return answer


@pytest.mark.parametrize(
    ("amount_minor", "state", "open_minor", "asked", "message"),
    [
        (95, "SETTLED", 0, "PAID", "APPLIED"),
        (94, "OPEN", 1, "OPEN", "APPLIED"),
        (96, "OPEN", 95, "OPEN", "FLAGGED"),
    ],
)
def test_seller_pays_what_was_asked_less_or_more(
    shop: Shop,
    debt: str,
    amount_minor: int,
    state: str,
    open_minor: int,
    asked: str,
    message: str,
) -> None:
    ask(shop, debt)

    answer = pay(shop, debt, amount_minor)

    found = shop.get(f"/v1/debts/{debt}").json()
    assert (answer.status_code, answer.json()["id"]) == (200, debt)
    assert (found["state"], found["open_minor"]) == (state, open_minor)
    assert found["debit_request"]["state"] == asked
    assert InboundNotification.objects.get(subject="incoming").state == message


def test_payment_of_a_debt_sent_again_pays_once(shop: Shop, debt: str) -> None:
    ask(shop, debt)

    first, again = (pay(shop, debt, 40, Idempotency_Key="debt-1") for _ in range(2))

    assert again.content == first.content
    assert shop.get(f"/v1/debts/{debt}").json()["open_minor"] == 55


def test_debt_nobody_was_asked_to_pay_is_refused(shop: Shop, debt: str) -> None:
    before = all_rows()

    problem(pay(shop, debt, 95), 409, "debt_not_asked_for")

    assert all_rows() == before


@pytest.mark.parametrize("amount_minor", [0, -1, 1.5, "95", None])
def test_amount_paid_is_a_positive_whole_number(shop: Shop, debt: str, amount_minor: Any) -> None:
    ask(shop, debt)

    found = problem(pay(shop, debt, amount_minor), 422, "request_invalid")

    assert [pointer for pointer, _code in pointers(found)] == ["#/amount_minor"]
    assert shop.get(f"/v1/debts/{debt}").json()["open_minor"] == 95


def test_live_platform_cannot_play_its_sellers(shop: Shop, debt: str) -> None:
    live = merchants.create_platform(name="Live", slug="live", mode=Mode.LIVE, at=START)
    other = Shop(door=shop.door, sandbox=shop.sandbox, time=shop.time, platform=live)
    other.open()

    problem(pay(other, debt, 95), 403, "clock_is_live")
