"""Fills an empty installation with twelve days of a small marketplace, lived on a simulated clock.

Everything goes through the services and the sandbox, so the books, the sandbox's books and the
audit agree from the first minute. Logins and the API key are made at random and kept under var/
only.
"""

import heapq
import json
import os
import random
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.test.utils import override_settings

from demo import catalog, clockwork
from demo.local_sandbox import CHANNEL, RAIL, Clock, LocalSandbox, open_sandbox
from escrow.models import Actor, DisputeReason, SellerAnswer
from escrow.services import release as releases
from escrow.services import remittance as remittances
from escrow.services.disputes import answering, opening
from merchants import services as merchants
from merchants.models import (
    COOLOFF_HOURS,
    CommissionPlan,
    Merchant,
    Platform,
    Role,
    User,
    kind_of,
)
from merchants.rules import Tier
from notifications import services as notifications
from orders.models import Order
from orders.services import creation, lifecycle, payments
from orders.services.creation import NewLine, NewOrder
from payouts.models import PayoutSchedule
from payouts.services import bank_accounts

SEED = 20260302
HISTORY = timedelta(days=12)
TOPUP_MINOR = 5_000_000  # fen; covers what the channel keeps until our own fee is earned


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in: only on this machine, only for the demo."""

    api_key: str
    merchant_id: str
    logins: dict[str, str]  # user name -> password
    base_url: str = ""  # where Holdfast answers, as long as the demo runs


def access_path() -> Path:
    """Where the demo keeps its logins and its API key, readable by its owner only."""
    return Path(settings.VAR_DIR) / "demo-access.json"


def read_access() -> Access:
    """Return what `seed_marketplace` made."""
    return Access(**json.loads(access_path().read_text(encoding="utf-8")))


def note_address(base_url: str) -> None:
    """Write down where the demo answers this time, for shops that want to talk to it."""
    _write_access(replace(read_access(), base_url=base_url))


def seed_marketplace(*, at: datetime) -> str:
    """Make the marketplace unless it is there. Returns: a sentence or two for the terminal."""
    if Platform.objects.filter(slug=catalog.PLATFORM_SLUG).exists() and access_path().exists():
        access = read_access()
        return f"Found the marketplace of an earlier run.\n{_describe(access)}"
    clock = Clock(at - HISTORY)
    directory = Path(settings.VAR_DIR) / "sandbox"
    directory.mkdir(parents=True, exist_ok=True)
    with (
        override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"),
        open_sandbox(directory, clock=clock, fee_bps=60) as sandbox,
    ):
        market = _Market(sandbox)
        market.live(until=at)
        market.change_account(at=at)
    access = _make_access(market, at=at)
    made = f"{len(market.sellers)} sellers and {market.count} orders"
    return f"Made {catalog.PLATFORM_NAME} with {made}.\n{_describe(access)}"


def _describe(access: Access) -> str:
    return "\n".join(
        f"  login {name:8} password {password}" for name, password in access.logins.items()
    )


def _make_access(market: "_Market", *, at: datetime) -> Access:
    _row, api_key = merchants.create_api_key(platform=market.platform, name="Demo shop", at=at)
    logins = {}
    for name in ("operator", "checker"):  # two persons: whoever asks for a payout cannot approve it
        logins[name] = secrets.token_urlsafe(9)
        User.objects.create_superuser(
            username=name, email=f"{name}@holdfast.example", password=logins[name]
        )
    for name, person in (
        (
            "seller",
            {
                "first_name": "王芳",
                "merchant": market.sellers[0],
                "language": market.sellers[0].language,
            },
        ),
        ("shop", {"first_name": "Lin Jia", "platform": market.platform}),
    ):
        logins[name] = secrets.token_urlsafe(9)
        User.objects.create_user(
            username=name, email=f"{name}@holdfast.example", password=logins[name], **person
        )
    _add_colleagues(market, at=at)
    access = Access(api_key=api_key, merchant_id=market.sellers[0].id, logins=logins)
    _write_access(access)
    return access


def _add_colleagues(market: "_Market", *, at: datetime) -> None:
    """People beside the two who sign in, so that each kind of role is there to be seen."""
    for number, (name, role, whose) in enumerate(
        (
            ("Chen Yu", Role.FINANCE, {"platform": market.platform}),
            ("Emma Brandt", Role.SUPPORT, {"platform": market.platform}),
            ("李明", Role.SUPPORT, {"merchant": market.sellers[0]}),
        )
    ):
        email = f"colleague{number}@holdfast.example"
        User.objects.create_user(
            username=f"colleague{number}", email=email, first_name=name, role=role, **whose
        )
    for email, owner in (("zhao@holdfast.example", "shop"), ("sun@holdfast.example", "seller")):
        notifications.invite_person(
            email=email,
            role=Role.FINANCE,
            language="zh-hans",
            invited_by=User.objects.get(username=owner),
            at=at,
        )


def _write_access(access: Access) -> None:
    path = access_path()
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(asdict(access), file)


class _Market:
    """The platform while it lives through its first days."""

    def __init__(self, sandbox: LocalSandbox) -> None:
        self.sandbox = sandbox
        self.random = random.Random(SEED)
        self.count = 0
        self.agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        at = sandbox.clock.now
        self.platform = merchants.create_platform(
            name=catalog.PLATFORM_NAME,
            name_zh=catalog.PLATFORM_NAME_ZH,
            slug=catalog.PLATFORM_SLUG,
            language="zh-hans",
            service_fee_bps=60,
            at=at,
        )
        plan = merchants.create_plan(platform=self.platform, name="Standard 标准", at=at)
        common = {"plan": plan, "currency": "CNY", "effective_from": at, "at": at}
        merchants.add_rule(rate_bps=500, floor_minor=100, cap_minor=5_000, **common)
        merchants.add_rule(rate_bps=800, floor_minor=100, category="teaware", **common)
        self.sellers = [self._add_seller(seller, at=at) for seller in catalog.SELLERS]
        self._draft_plan(plan, at=at)
        self._add_payee(None, "6222021001009990001", "DAILY", None, at=at)
        self.sandbox.bank.deposit(reference="OWN-TOPUP-1", amount_minor=TOPUP_MINOR, currency="CNY")
        remittances.record_topup(
            custodian=RAIL,
            bank_reference="OWN-TOPUP-1",
            amount_minor=TOPUP_MINOR,
            currency="CNY",
            at=at,
        )

    def _draft_plan(self, plan: CommissionPlan, *, at: datetime) -> None:
        """What the platform thinks about: less for those who sell much, more of small orders."""
        draft = merchants.draft_plan(
            platform=self.platform, based_on=plan, name="Spring 春季", at=at
        )
        common = {"plan": draft, "currency": "CNY", "effective_from": at, "at": at}
        tiers = [Tier(500_000, 500), Tier(2_000_000, 400)]
        merchants.add_rule(rate_bps=600, floor_minor=100, category="tea", tiers=tiers, **common)
        merchants.add_rule(rate_bps=450, fixed_minor=50, max_order_minor=10_000, **common)

    def _add_seller(self, seller: catalog.Seller, *, at: datetime) -> Merchant:
        merchant = merchants.create_merchant(
            platform=self.platform,
            reference=seller.reference,
            name=seller.name,
            email=seller.email,
            language=seller.language,
            at=at,
        )
        self._add_payee(
            merchant, seller.account_number, seller.cadence, seller.approval_above_minor, at=at
        )
        return merchant

    def change_account(self, *, at: datetime) -> None:
        """The first seller gives another account: it waits, so that people see how."""
        merchants.set_account_cooloff(
            platform_id=self.platform.pk, hours=COOLOFF_HOURS, at=at - timedelta(minutes=40)
        )
        bank_accounts.add_bank_account(
            platform=Platform.objects.get(pk=self.platform.pk),
            merchant=self.sellers[0],
            currency="CNY",
            holder_name=self.sellers[0].name,
            bank_code="308584000013",
            bank_name="China Merchants Bank",
            account_number="6225021001004443301",
            at=at - timedelta(minutes=40),
        )

    def _add_payee(
        self,
        merchant: Merchant | None,
        account_number: str,
        cadence: str,
        limit: int | None,
        *,
        at: datetime,
    ) -> None:
        bank_accounts.add_bank_account(
            platform=self.platform,
            merchant=merchant,
            currency="CNY",
            holder_name=merchant.name if merchant else self.platform.name,
            bank_code="102100099996",
            account_number=account_number,
            at=at,
        )
        PayoutSchedule.objects.create(
            platform=self.platform,
            payee=kind_of(merchant=merchant, party=None),
            merchant=merchant,
            rail=RAIL,
            cadence=cadence,
            weekday=0,
            approval_above_minor=limit,
            next_cutoff_at=at,
        )

    def live(self, *, until: datetime) -> None:
        """Four orders a day from every age, each stopping at another stage; the newest wait."""
        start = self.sandbox.clock.now
        for _ in range(44):
            self._plan_order(start + (until - start) * self.random.random())
        for minutes in (19, 11, 4):  # just now, at the cashier
            self._at(until - timedelta(minutes=minutes), self._create)
        self._at(until - timedelta(hours=3), self._expensive_order)
        for offers in (True, False):
            self._at(until - timedelta(hours=24), lambda offers=offers: self._broken_order(offers))
        while self.agenda and self.agenda[0][0] <= until:
            moment, _tie, act = heapq.heappop(self.agenda)
            self._run_until(moment)
            act()
        self._run_until(until)

    def _at(self, moment: datetime, act: Callable[[], object]) -> None:
        heapq.heappush(self.agenda, (moment, len(self.agenda) + self.count * 1000, act))

    def _in(self, act: Callable[[], object], **span: float) -> None:
        self._at(self.sandbox.clock.now + timedelta(**span), act)

    def _plan_order(self, moment: datetime) -> None:
        fate = self.random.random()
        self._at(moment, lambda: self._begin(fate))

    def _begin(self, fate: float) -> None:
        order = self._create()
        if fate >= 0.08:  # else the buyer never pays
            self._in(lambda: self._pay(order, fate), minutes=self.random.randrange(1, 9))

    def _go_on(self, order: Order, fate: float) -> None:
        if fate >= 0.18:  # else the seller does not ship in time
            self._in(lambda: self._ship(order, fate), hours=self.random.randrange(4, 40))

    def _ship(self, order: Order, fate: float) -> None:
        lifecycle.ship_order(
            order_id=order.id,
            carrier=self.random.choice(("顺丰速运 SF Express", "中通快递 ZTO", "京东物流 JD")),
            tracking_number=f"SF{self.random.randrange(10**12):012d}",
            at=self.sandbox.clock.now,
        )
        if fate >= 0.32:  # else the buyer forgets, and it is confirmed automatically
            self._in(lambda: self._confirm(order), hours=self.random.randrange(20, 70))

    def _confirm(self, order: Order) -> None:
        releases.confirm_receipt(order_id=order.id, at=self.sandbox.clock.now)

    def _expensive_order(self) -> None:
        """One release above its seller's limit, so that a payout waits for the second person."""
        order = self._create(catalog.SELLERS[0], quantity=3)
        self._in(lambda: self._pay(order, 0), minutes=5)
        self._in(lambda: self._ship(order, 0), minutes=50)
        self._in(lambda: self._confirm(order), minutes=90)

    def _broken_order(self, offers: bool) -> None:
        """Goods of the first seller that arrive broken; it offers part of the money, or is silent
        so far."""
        order = self._create(catalog.SELLERS[0])
        self._in(lambda: self._pay(order, 0), minutes=5)
        self._in(lambda: self._ship(order, 0), hours=3)
        self._in(lambda: self._complain(order, offers), hours=20)

    def _complain(self, order: Order, offers: bool) -> None:
        dispute = opening.open_dispute(
            order_id=order.id,
            by=Actor.BUYER,
            reason=DisputeReason.DAMAGED,
            text="It arrived broken. 收到时已破损。",
            at=self.sandbox.clock.now,
        )
        if offers:
            answering.answer_dispute(
                dispute_id=dispute.id,
                answer=SellerAnswer.OFFER,
                by=Actor.MERCHANT,
                offer_minor=dispute.stake_minor // 3,
                text="A third back, and you keep it. 退三分之一，商品归您。",
                at=self.sandbox.clock.now,
            )

    def _create(self, seller: catalog.Seller | None = None, quantity: int = 1) -> Order:
        self.count += 1
        seller = seller or self.random.choice(catalog.SELLERS)
        product = seller.products[
            -1 if quantity > 1 else self.random.randrange(len(seller.products))
        ]
        order, _token = creation.create_order(
            platform=self.platform,
            merchant=self.sellers[catalog.SELLERS.index(seller)],
            new=NewOrder(
                reference=f"JY-{2026_0000 + self.count}",
                currency="CNY",
                lines=[
                    NewLine(
                        product.title, product.price_minor * quantity, product.category, quantity
                    )
                ],
                shipping_minor=self.random.choice((0, 800, 1_200)),
                buyer_name=self.random.choice(catalog.BUYERS),
                buyer_email="buyer@example.com",
            ),
            at=self.sandbox.clock.now,
        )
        return order

    def _pay(self, order: Order, fate: float) -> None:
        payment = payments.create_payment(
            platform_id=self.platform.id,
            order_ids=[order.id],
            channel=CHANNEL,
            return_url="https://jiya.example/thanks",
            at=self.sandbox.clock.now,
        )
        payments.submit_payment(payment_id=payment.id, at=self.sandbox.clock.now)
        self.sandbox.channel.pay(payment.id)
        self.sandbox.tick()
        self._remit()
        self._go_on(order, fate)

    def _remit(self) -> None:
        self.sandbox.channel.remittances.cut(self.sandbox.clock.now.timestamp())
        self.sandbox.tick()

    def _run_until(self, end: datetime) -> None:
        """Let the clock run, stopping wherever somebody has something to do."""
        while (due := clockwork.next_due_at()) is not None and due <= end:
            self.sandbox.clock.move_to(due)
            clockwork.run_sweeps(at=self.sandbox.clock.now)
            self.sandbox.tick()
        self.sandbox.clock.move_to(end)
        clockwork.run_sweeps(at=self.sandbox.clock.now)
        self.sandbox.tick()
