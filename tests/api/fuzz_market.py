"""The shop a campaign of fuzzing plays with: something of everything, and nobody outside.

It must never send a mail nor dial a webhook: its events stop at their deliveries.
"""

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings
from django.utils import timezone

from demo import clockwork
from demo.local_sandbox import open_sandbox
from escrow.models import Dispute, Evidence, Hold, Refund, Release
from merchants import services as merchants
from merchants.models import BankAccount, CommissionPlan, CommissionRule, Merchant, Party
from notifications import services as notifications
from notifications.models import Delivery, Event, WebhookEndpoint
from notifications.services import fan_out
from orders.models import Order, OrderState, Payment, Shipment
from orders.services import lifecycle
from payouts.models import Payout, Settlement
from tests import disputing, stage
from tests.world import PAYS, World, add_payee, make_platform

# So many writes a minute no campaign reaches: that there is a limit is tested elsewhere.
UNLIMITED = {"API_READS_PER_MINUTE": 10**9, "API_WRITES_PER_MINUTE": 10**9}
OF_EACH_STAGE = 6
ADDRESS = "https://hooks.example.com/holdfast"
_DJANGO = WSGIHandler()


class RealClock:
    """What time it is: a campaign lives by the real clock, its platform ahead of it."""

    @property
    def now(self) -> datetime:
        return timezone.now()

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Market:
    """One platform at every stage, and its key."""

    world: World
    key: str
    shipped: Order  # one of them, and its buyer's token
    token: str

    def application(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request, then let the channel and the bank tell us what they have to tell."""
        _tell_keys_apart(environ)
        answer = _DJANGO(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()  # type: ignore[attr-defined]
            self.world.sandbox.tick()

    def ids(self) -> dict[str, list[str]]:
        """What there is to name, by the words of addresses."""
        models = {
            "bank-accounts": BankAccount,
            "commission-plans": CommissionPlan,
            "parties": Party,
            "commission-rules": CommissionRule,
            "orders": Order,
            "parcels": Shipment,
            "payments": Payment,
            "holds": Hold,
            "releases": Release,
            "refunds": Refund,
            "disputes": Dispute,
            "evidence": Evidence,
            "settlements": Settlement,
            "payouts": Payout,
            "webhook-endpoints": WebhookEndpoint,
        }
        found = {
            word: [str(pk) for pk in model.objects.values_list("pk", flat=True)]
            for word, model in models.items()
        }
        sellers = Merchant.objects.order_by("pk").values_list("pk", flat=True)
        found["merchants"] = list(sellers[1:])  # the first must stay active: it sells everything
        found["paid orders"] = list(
            Order.objects.filter(state=OrderState.PAID).values_list("pk", flat=True)
        )
        for word, public in (("events", Event), ("deliveries", Delivery)):
            found[word] = list(public.objects.values_list("public_id", flat=True))
        return found


@contextmanager
def open_market(folder: Path) -> Iterator[Market]:
    """Play one day of a shop in a database that is emptied first."""
    stage.empty_database()
    clock: Any = RealClock()
    with open_sandbox(folder, clock=clock) as sandbox, override_settings(**UNLIMITED):
        platform = make_platform(at=clock.now)
        world = World(sandbox, platform)
        add_payee(platform, None, PAYS, at=clock.now)
        for number in range(OF_EACH_STAGE):
            world.add_merchant()
            merchants.create_party(
                platform=platform, reference=f"party-{number}", name="Carrier", at=clock.now
            )
        for _ in range(2 * OF_EACH_STAGE):
            notifications.create_endpoint(platform=platform, url=ADDRESS, at=clock.now)
        _, key = merchants.create_api_key(platform=platform, name="fuzz", at=clock.now)
        yield Market(world, key, *_play(world))


def _play(world: World) -> tuple[Order, str]:
    """Bring a few orders to every stage. Returns: one that is shipped, and its buyer's token."""
    for _ in range(OF_EACH_STAGE):
        world.create_order()
        world.start_payment(world.create_order()[0])
        world.pay(world.create_order()[0])
        canceled, shipped, confirmed, disputed = (world.create_order() for _ in range(4))
        lifecycle.cancel_unpaid_order(order_id=canceled[0].id, reason="PLATFORM", at=world.now)
        for order, _ in (shipped, confirmed, disputed):
            world.pay(order)
            world.ship(order)
        world.confirm(confirmed[0])
        disputing.moves(disputing.open_dispute(world, disputed[0]), at=world.now)["evidence"]()
    late = world.create_order(ship_by=world.now + timedelta(milliseconds=1))[0]
    world.pay(late)  # too late to ship: refunded by the sweeps
    world.remit()
    for name, sweep in [*clockwork.SWEEPS.items()] * 2:
        if not name.startswith("notifications."):
            sweep(at=world.now)
        world.sandbox.tick()
    fan_out.pass_on_due_events(at=world.now, limit=fan_out.BATCH)
    return shipped


def _tell_keys_apart(environ: dict[str, Any]) -> None:
    """Give different requests different keys: generated ones are so alike that nearly every
    request would be refused for a key of another."""
    key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
    if re.fullmatch("[!-~]{1,200}", key):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}\n".encode() + body
        environ["HTTP_IDEMPOTENCY_KEY"] = f"{key}-{hashlib.sha256(request).hexdigest()[:16]}"
