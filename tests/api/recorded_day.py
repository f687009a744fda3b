"""One day of a shop that uses every operation of the API: what the examples are recorded of.

It must never reach around the door but for what happens outside: the bank, the clock, the sweeps.
"""

from typing import Any

from merchants import services as merchants
from notifications import services as notifications
from tests.api import recorded_trouble
from tests.api.recording import Tape
from tests.world import PAYS, RETURNS

NOBODY = "mer_019caea1c0000000000000000000ffff"
TEA = {"title": "西湖龙井 Longjing tea", "amount_minor": 9001, "category": "tea", "quantity": 3}
CUP = {"title": "Celadon cup", "amount_minor": 4500, "category": "cups"}
PARCEL = {"carrier": "SF Express", "tracking_number": "SF1001"}
DAY = 86400


def live(tape: Tape, hook: str) -> None:
    """Live the day. Args: hook: address of a receiver that takes what it is sent."""
    endpoint = _listen(tape, hook)
    seller = _take_on_a_seller(tape)
    _set_the_commission(tape, seller)
    sold = _sell(tape, seller)
    _take_money_in(tape, sold)
    _ship(tape, sold)
    recorded_trouble.refund(tape, seller)
    recorded_trouble.quarrel(tape, seller)
    _close(tape, sold)
    recorded_trouble.owe(tape, seller, sold["tea"])
    _look_at_the_money(tape, seller)
    _look_at_the_news(tape, sold, endpoint)
    _move_the_clock(tape)


def _listen(tape: Tape, hook: str) -> str:
    body: dict[str, Any] = {"url": hook, "description": "Shop", "event_types": []}
    path = "/v1/webhook-endpoints"
    made = tape.post(path, body, says="Be told of everything")
    tape.post(
        path,
        {"url": "https://10.0.0.7/hooks"},
        status=422,
        says="An address that is not public",
    )
    path = f"{path}/{made['id']}"
    change = {"event_types": ["order.paid", "order.shipped", "order.confirmed", "payout.paid"]}
    tape.post(path, change, says="Be told of these types only")
    tape.post(f"{path}/roll-secret", {"overlap_hours": 24}, says="A new secret")
    tape.post(f"{path}/ping", says="Send a test event")
    tape.get(path, says="One endpoint")
    return str(made["id"])


def _take_on_a_seller(tape: Tape) -> str:
    body = {
        "reference": "longjing",
        "name": "龙井茶庄 Longjing Tea House",
        "email": "tea@example.com",
        "language": "zh-hans",
    }
    seller = str(tape.post("/v1/merchants", body, says="A new seller")["id"])
    tape.post("/v1/merchants", body, status=409, says="A reference that is taken")
    tape.post(f"/v1/merchants/{seller}", {"email": "till@example.com"}, says="Another address")
    tape.get(f"/v1/merchants/{seller}", says="One seller")
    tape.get("/v1/merchants?limit=1", says="The newest seller")
    account = {
        "merchant": seller,
        "currency": "CNY",
        "holder_name": "龙井茶庄",
        "bank_code": "102100099996",
        "bank_name": "ICBC",
        "account_number": PAYS,
    }
    made = tape.post("/v1/bank-accounts", account, says="Where a seller is paid")
    nobodys = account | {"merchant": NOBODY}
    tape.post("/v1/bank-accounts", nobodys, status=422, says="A seller there is not")
    tape.get(f"/v1/bank-accounts/{made['id']}", says="One account")
    tape.get("/v1/bank-accounts?limit=1", says="The newest account")
    at = tape.shop.sandbox.clock.now
    merchants.set_account_cooloff(platform_id=tape.shop.platform.pk, hours=24, at=at)
    other = account | {"account_number": RETURNS}
    changed = tape.post("/v1/bank-accounts", other, says="A changed account, which waits")
    cancel = f"/v1/bank-accounts/{changed['id']}/cancel"
    tape.post(cancel, says="Cancel the change")
    tape.post(cancel, status=409, says="One that does not wait")
    return seller


def _set_the_commission(tape: Tape, seller: str) -> None:
    plans = "/v1/commission-plans"
    made = tape.post(plans, {"name": "Spring"}, says="A new plan")
    tape.post(plans, {"name": "Summer"}, status=409, says="A second plan")
    plan = f"{plans}/{made['id']}"
    goods = {"currency": "CNY", "rate_bps": 500, "floor_minor": 100, "cap_minor": 5000}
    tape.post(plan, {"party_returned_bps": 5000, "guarantee_days": 30}, says="Change its terms")
    tape.post(plan, {"reserve_bps": 500}, status=422, says="A reserve for no days")
    tape.post(f"{plan}/rules", goods, says="5 percent of the goods")
    cups = goods | {"category": "cups", "rate_bps": 800}
    rule = tape.post(f"{plan}/rules", cups, says="8 percent of cups")
    other = {"rate_bps": 700, "floor_minor": 100}
    rule = tape.post(f"/v1/commission-rules/{rule['id']}/replace", other, says="7 percent instead")
    tape.post(f"/v1/commission-rules/{rule['id']}/end", {}, says="End it now")
    tape.post(
        f"/v1/commission-rules/{rule['id']}/replace",
        other,
        status=422,
        says="A rule that has ended",
    )
    sale = {
        "merchant": seller,
        "currency": "CNY",
        "lines": [{"category": "tea", "amount_minor": 9001}],
        "shipping_minor": 1000,
    }
    text = "currency,rate_bps,category\nCNY,650,pots\n"
    tape.post(f"{plan}/import", {"csv": text}, says="Try a file of rules")
    wrong = {"csv": text.replace("650", "65000")}
    tape.post(f"{plan}/import", wrong, says="A file with an error")
    party = tape.post("/v1/parties", {"reference": "carrier", "name": "Carrier"}, says="A party")
    tape.get(f"/v1/parties/{party['id']}", says="One party")
    tape.get("/v1/parties?limit=1", says="The newest party")
    account = {
        "party": party["id"],
        "currency": "CNY",
        "holder_name": "Carrier",
        "bank_code": "102100099996",
        "account_number": PAYS,
    }
    tape.post("/v1/bank-accounts", account, says="Where a further party is paid")
    taken = {"reference": "carrier", "name": "Another"}
    tape.post("/v1/parties", taken, status=409, says="A reference that is taken")
    tape.post(f"{plan}/explain", sale, says="What a sale would cost")
    tape.get(f"{plan}/rules", says="All rules of the plan")
    tape.get(plan, says="One plan")
    tape.get(f"{plans}?limit=1", says="The newest plan")


def _sell(tape: Tape, seller: str) -> dict[str, Any]:
    body = {
        "reference": "A-1001",
        "merchant": seller,
        "currency": "CNY",
        "lines": [TEA],
        "shipping_minor": 1000,
        "buyer": {"name": "王芳", "email": "buyer@example.com"},
        "metadata": {"cart": "c-17"},
    }
    sold = {"tea": tape.post("/v1/orders", body, says="Tea by courier")}
    tape.post("/v1/orders", body, status=409, says="A reference that is taken")
    wrong = body | {"reference": "A-1002", "shipping_minor": -1, "lines": []}
    tape.post("/v1/orders", wrong, status=422, says="Fields that are wrong")
    cup = {"merchant": seller, "currency": "CNY", "lines": [CUP], "shipping_minor": 800}
    two = [cup | {"reference": name} for name in ("A-1003", "A-1004")]
    made = tape.post("/v1/orders/bulk", {"orders": two}, says="Two orders at once")
    sold["returned"], sold["cup"] = made["data"]
    return sold


def _take_money_in(tape: Tape, sold: dict[str, Any]) -> None:
    for name, says in (
        ("tea", "One order"),
        ("returned", "An order that is canceled later"),
        ("cup", "Another order"),
    ):
        order = {"orders": [sold[name]["id"]], "channel": "sandbox"}
        if name == "tea":
            order["return_url"] = "https://shop.example.com/thanks"
        made = tape.post("/v1/payments", order, says=says)
        path = f"/v1/sandbox/payments/{made['id']}/pay"
        if name == "tea":
            tape.post(path, says="Pay as the buyer would")
            sold["payment"] = made["id"]
        else:
            tape.shop.sandbox.channel.pay(made["id"])
        tape.shop.sandbox.tick()
    again = {"orders": [sold["tea"]["id"]], "channel": "sandbox"}
    tape.post("/v1/payments", again, status=409, says="An order that is paid already")
    tape.get(f"/v1/payments/{sold['payment']}", says="A payment that has come")
    tape.get("/v1/payments?state=SUCCEEDED&limit=1", says="The newest payment that has come")


def _ship(tape: Tape, sold: dict[str, Any]) -> None:
    tea, cup = (f"/v1/orders/{sold[name]['id']}" for name in ("tea", "cup"))
    tape.get(tea, says="A paid order")
    second = PARCEL | {"tracking_number": "SF1002"}
    tape.post(f"{tea}/ship", PARCEL | {"further": [second]}, says="Two parcels")
    third = PARCEL | {"tracking_number": "SF1003"}
    shown = tape.post(f"{tea}/parcels", third, says="A further parcel")
    parcel = shown["shipments"][0]["id"]
    mended = PARCEL | {"tracking_number": "SF1010"}
    tape.post(f"{tea}/parcels/{parcel}/correct", mended, says="A number that was mistyped")
    tape.post(f"{tea}/extend", {}, says="More time for the buyer")
    tape.post(f"{tea}/cancel", {}, status=409, says="An order that is shipped")
    tape.shop.post(f"{cup}/ship", PARCEL | {"tracking_number": "SF1004"})
    tape.post(
        f"/v1/orders/{sold['returned']['id']}/cancel",
        {"reason": "MERCHANT"},
        says="The seller cannot deliver",
    )
    tape.get("/v1/orders?state=SHIPPED&limit=1", says="The newest on its way")


def _close(tape: Tape, sold: dict[str, Any]) -> None:
    path = f"/v1/orders/{sold['tea']['id']}/confirm"
    wrong = {"token": "somebody-elses"}
    tape.post(path, wrong, key="", status=403, says="A token of another order")
    own = {"token": sold["tea"]["buyer_token"]}
    tape.post(path, own, key="", says="The buyer has the goods")
    tape.shop.remit()
    tape.shop.settle()
    tape.shop.wait(minutes=6)  # refunds are asked about again
    tape.shop.settle()


def _look_at_the_money(tape: Tape, seller: str) -> None:
    for words, thing in (
        ("holds", "hold"),
        ("releases", "release"),
        ("refunds", "refund"),
        ("settlements", "settlement"),
        ("payouts", "payout"),
    ):
        whose = f"merchant={seller}&" if words in ("settlements", "payouts") else ""
        page = tape.get(f"/v1/{words}?{whose}limit=1", says=f"The newest {thing}")
        newest = page["data"][0]
        tape.get(f"/v1/{words}/{newest['id']}", says=f"One {thing}")
        unknown = f"{newest['id'][:4]}{NOBODY[4:]}"
        tape.get(f"/v1/{words}/{unknown}", status=404, says=f"A {thing} there is not")
    released = tape.shop.get("/v1/releases?limit=1").json()["data"][0]
    tape.get(f"/v1/releases/{released['id']}/receipt", says="What is signed")
    tape.get("/v1/receipt-keys", key="", says="Keys that verify receipts")
    tape.get("/v1/receipt-keys?page=2", key="", status=400, says="A parameter there is not")
    tape.get("/v1/payouts?payee=PARTY", says="Payouts to further parties: none yet")
    tape.get("/v1/balances", says="What is whose")
    tape.get("/v1/balances", key="sk_test_EXAMPLE", status=401, says="A key that is none")
    plan = tape.shop.get("/v1/commission-plans").json()["data"][0]["id"]
    tried = {"rules": [{"currency": "CNY", "rate_bps": 600, "floor_minor": 100}]}
    says = "Past orders at 6 percent"
    tape.post(f"/v1/commission-plans/{plan}/what-if", tried, says=says)


def _look_at_the_news(tape: Tape, sold: dict[str, Any], endpoint: str) -> None:
    for _ in range(10):
        notifications.relay_due_events(at=tape.shop.sandbox.clock.now)
        if not notifications.send_due_webhooks(at=tape.shop.sandbox.clock.now):
            break
    events = tape.get(f"/v1/events?subject={sold['tea']['id']}&limit=2", says="News of one order")
    tape.get(f"/v1/events/{events['data'][0]['id']}", says="One event")
    tape.get("/v1/events?type=", status=400, says="A filter without a value")
    page = tape.get(
        f"/v1/deliveries?state=SENT&event={events['data'][0]['id']}", says="Where an event went"
    )
    sent = page["data"][0]
    tape.get(f"/v1/deliveries/{sent['id']}", says="One delivery with its attempts")
    tape.post(f"/v1/deliveries/{sent['id']}/resend", says="Send it again")
    unknown = f"dlv_{NOBODY[4:]}"
    tape.post(f"/v1/deliveries/{unknown}/resend", status=404, says="A delivery there is not")
    path = f"/v1/webhook-endpoints/{endpoint}"
    since = {"since": "2026-03-02T09:00:00Z"}
    tape.post(f"{path}/resend", since, says="Everything since this morning")
    tape.get("/v1/webhook-endpoints?limit=1", says="The newest endpoint")
    tape.take("DELETE", path, says="Send nothing more")


def _move_the_clock(tape: Tape) -> None:
    """Last: the shop's own clock and the platform's part here."""
    path = "/v1/sandbox/clock"
    says = "Twelve days, and what falls due"
    tape.post(f"{path}/advance", {"seconds": 12 * DAY}, says=says)
    tape.post(f"{path}/advance", {"seconds": 0}, status=422, says="No step at all")
    tape.get(path, says="What time it is here")
    tape.get("/v1/problems/order_state_conflict", key="", says="What a code means")
    tape.get("/v1/problems/no_such_code", key="", status=404, says="A code there is not")
