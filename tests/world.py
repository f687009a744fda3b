"""A small marketplace on a simulated clock, with the sandbox in this process: what flows, races
and crashes share.

It must never reach around a service: everything happens through the verbs the doors call.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from channels import contract
from demo import clockwork
from demo.local_sandbox import CHANNEL, RAIL, LocalSandbox
from escrow.services import release as releases
from ledger import selectors as books
from ledger.audit import Violation
from merchants import services as merchants
from merchants.models import Merchant, Party, Platform, kind_of
from orders.models import Order, Payment
from orders.services import creation, lifecycle, payments
from orders.services.creation import NewLine, NewOrder
from payouts.models import Cadence, PayoutSchedule
from payouts.services import bank_accounts

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAYS, FAILS, RETURNS, WAITS = (
    "6222000000000001",
    "6222000000000002",
    "6222000000000003",
    "6222000000000004",
)


@dataclass
class World:
    """One platform with its sellers, the sandbox, and the clock everything happens by."""

    sandbox: LocalSandbox
    platform: Platform
    merchants: list[Merchant] = field(default_factory=list)
    count: int = 0

    @property
    def now(self) -> datetime:
        return self.sandbox.clock.now

    def add_merchant(
        self, *, account_number: str = PAYS, approval_above_minor: int | None = None
    ) -> Merchant:
        merchant = merchants.create_merchant(
            platform=self.platform,
            reference=f"seller-{len(self.merchants) + 1}",
            name=f"Seller {len(self.merchants) + 1}",
            email=f"seller{len(self.merchants) + 1}@example.com",
            at=self.now,
        )
        self.merchants.append(merchant)
        add_payee(
            self.platform,
            merchant,
            account_number,
            approval_above_minor=approval_above_minor,
            at=self.now,
        )
        return merchant

    def create_order(self, merchant: Merchant | None = None, **changes: Any) -> tuple[Order, str]:
        """The worked example of the design: 10001 fen, goods 9001, shipping 1000."""
        self.count += 1
        new = NewOrder(
            **{
                "reference": f"order-{self.count}",
                "currency": "CNY",
                "lines": [NewLine(title="Tea", amount_minor=9001, category="tea")],
                "shipping_minor": 1000,
                "buyer_email": "buyer@example.com",
                **changes,
            }
        )
        return creation.create_order(
            platform=self.platform, merchant=merchant or self.merchants[0], new=new, at=self.now
        )

    def start_payment(self, *orders: Order) -> Payment:
        payment = payments.create_payment(
            platform_id=self.platform.id,
            order_ids=[order.id for order in orders],
            channel=CHANNEL,
            return_url="https://shop.example/thanks",
            at=self.now,
        )
        return payments.submit_payment(payment_id=payment.id, at=self.now)

    def buyer_pays(self, payment: Payment) -> None:
        self.sandbox.channel.pay(payment.id)
        self.sandbox.tick()

    def pay(self, *orders: Order) -> Payment:
        payment = self.start_payment(*orders)
        self.buyer_pays(payment)
        return payment

    def ship(self, order: Order) -> None:
        lifecycle.ship_order(
            order_id=order.id, carrier="SF Express", tracking_number="SF1001", at=self.now
        )

    def confirm(self, order: Order) -> None:
        releases.confirm_receipt(order_id=order.id, at=self.now)

    def remit(self) -> None:
        """The channel pays what it collected into the reserve."""
        self.sandbox.channel.remittances.cut(self.now.timestamp())
        self.sandbox.tick()

    def pass_time(self, **span: float) -> None:
        """Let the clock run, stopping at every instant at which somebody has something to do."""
        self.run_until(self.now + timedelta(**span))

    def run_until(self, end: datetime) -> None:
        self.settle()
        while (due := clockwork.next_due_at()) is not None and due <= end:
            self.sandbox.clock.move_to(due)
            self.settle()
        self.sandbox.clock.move_to(end)
        self.settle()

    def settle(self) -> None:
        """Do everything that is due now, here and in the sandbox, until nothing is."""
        for _ in range(50):
            if not clockwork.run_sweeps(at=self.now) + self.sandbox.tick():
                return
        raise AssertionError("the sweeps do not come to rest")

    def balance(self, address: str, currency: str = "CNY") -> int:
        return books.balance(address=address, currency=currency)


def add_payee(
    platform: Platform,
    merchant: Merchant | None,
    account_number: str,
    *,
    approval_above_minor: int | None = None,
    cadence: str = Cadence.INSTANT,
    party: Party | None = None,
    at: datetime,
) -> PayoutSchedule:
    """Give a seller, a further party, or the platform itself, a bank account and a payout
    schedule."""
    bank_accounts.add_bank_account(
        platform=platform,
        merchant=merchant,
        party=party,
        currency="CNY",
        holder_name=(merchant or party or platform).name,
        bank_code="102100099996",
        account_number=account_number,
        at=at,
    )
    return PayoutSchedule.objects.create(
        platform=platform,
        payee=kind_of(merchant=merchant, party=party),
        merchant=merchant,
        party=party,
        rail=RAIL,
        cadence=cadence,
        approval_above_minor=approval_above_minor,
        next_cutoff_at=at,
    )


def make_platform(*, at: datetime, **changes: Any) -> Platform:
    """A platform with the commission of the worked example: 5 % of goods, floor 100, cap 5000;
    service fee 0.6 %."""
    named = {"name": "Teahouse", "slug": "teahouse", "service_fee_bps": 60, "currency": "CNY"}
    platform = merchants.create_platform(**{**named, **changes}, at=at)
    plan = merchants.create_plan(platform=platform, name="Standard", at=at)
    merchants.add_rule(
        plan=plan,
        currency="CNY",
        rate_bps=500,
        floor_minor=100,
        cap_minor=5000,
        effective_from=at - timedelta(days=365),
        at=at,
    )
    return platform


def audit() -> list[Violation]:
    """Every audit there is. Returns: what is wrong."""
    from django.utils.module_loading import import_string

    lines: list[str] = []
    return [
        found for path in settings.AUDIT_CHECKS for found in import_string(path)(write=lines.append)
    ]


def answer(
    status: contract.Status, *, reference: str, amount_minor: int = 0, **more: Any
) -> contract.Answer:
    """A provider's answer, for tests that speak for the provider."""
    currency = "CNY" if amount_minor else ""
    return contract.Answer(
        status=status, reference=reference, amount_minor=amount_minor, currency=currency, **more
    )
