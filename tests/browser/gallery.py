"""Every page people see, and who sees it: what the browser looks at, and what `make screenshots`
takes pictures of.

A page of the portal that is neither here nor left out on purpose fails the gallery's test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, reverse
from django.utils import timezone

from escrow.models import Dispute
from merchants.models import Merchant, User
from notifications import buyer_links
from notifications import services as notifications
from notifications.models import Delivery, WebhookEndpoint
from notifications.services import fan_out
from orders.models import Order, OrderState
from orders.services import creation
from payouts.models import Payout
from portal import jobs, order_export, urls
from portal.models import Job
from tests import ground
from tests.browser import sights
from tests.world import World

DESK, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
LANGUAGES = {"en": "en-US", "zh-hans": "zh-CN"}


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks at a page."""

    device: str
    theme: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.device}-{self.theme}-{self.language}"

    @property
    def options(self) -> dict[str, Any]:
        """For a browser context."""
        phone = {"is_mobile": True, "has_touch": True} if self.device == "phone" else {}
        return {
            "viewport": PHONE if phone else DESK,
            "locale": LANGUAGES[self.language],
            "color_scheme": self.theme,
            **phone,
        }


ALL_LOOKS = [Look(*each) for each in product(("desk", "phone"), ("light", "dark"), LANGUAGES)]
TESTED_LOOKS = [Look("desk", "light", "en"), Look("phone", "dark", "zh-hans")]


@dataclass(frozen=True, slots=True)
class Page:
    """One address. `who`: nobody, seller, platform or operator. `entered_by`: a buyer's link that
    is followed first."""

    name: str
    who: str
    address: Callable[[World], str]
    entered_by: Callable[[World], str] | None = None


def _at(name: str, **keys: Callable[[World], str]) -> Callable[[World], str]:
    return lambda world: reverse(name, kwargs={key: find(world) for key, find in keys.items()})


def _order(world: World) -> str:
    return Order.objects.filter(merchant__platform=world.platform).earliest("pk").pk


def _payout(world: World) -> str:
    merchant = Merchant.objects.filter(platform=world.platform).earliest("pk")
    return Payout.objects.filter(merchant=merchant).earliest("pk").pk


def endpoint(world: World) -> str:
    """Where webhooks of the platform go."""
    endpoints = WebhookEndpoint.objects.filter(platform=world.platform)
    found = endpoints.first()
    if found is None:
        found, _secret = notifications.create_endpoint(
            platform=world.platform, url="https://shop.example.com/hooks", at=world.now
        )
        notifications.send_test_ping(endpoint_id=found.pk, at=world.now)
        fan_out.pass_on_due_events(at=timezone.now())
    return found.pk


def delivery(world: World) -> str:
    """A webhook that was sent there."""
    endpoint(world)
    return Delivery.objects.filter(channel="webhook").latest("pk").public_id


def _shipped(world: World) -> str:
    found = Order.objects.filter(state=OrderState.SHIPPED, paused_at=None).first()
    return found.pk if found is not None else ground.shipped_order(world).pk


def _paid(world: World) -> str:
    found = Order.objects.filter(state=OrderState.PAID, hold__state="HELD").first()
    return found.pk if found is not None else ground.paid_order(world).pk


def _disputed(world: World) -> str:
    return Dispute.objects.get(pk=sights.contested(world)).order_id


def _unpaid(world: World) -> str:
    found = Order.objects.filter(reference="unpaid").first()
    if found is None:
        found, _token = creation.create_order(
            platform=world.platform,
            merchant=world.merchants[0],
            new=creation.NewOrder(
                reference="unpaid",
                currency="CNY",
                lines=[creation.NewLine(title="Longjing tea 龙井茶", amount_minor=9001)],
            ),
            at=timezone.now(),
        )
    return found.pk


def _job(world: World) -> str:
    found = Job.objects.filter(platform=world.platform, merchant=None).first()
    if found is None:
        found = jobs.ask_for_job(
            platform=world.platform,
            merchant=None,
            user=User.objects.get(username="gallery-shop"),
            language="en",
            kind=order_export.KIND,
            wanted={"form": "csv", "query": ""},
            at=timezone.now(),
        )
    return found.pk


def upload(world: World) -> str:
    """A file of parcels that nobody has confirmed."""
    user = User.objects.get(username="gallery-seller")
    return sights.upload(user.merchant, user, order=Order.objects.get(pk=_paid(world)))


def _payment_page(name: str) -> Page:
    """The cashier's page, entered by the link to the payment."""

    def path(world: World) -> str:
        return buyer_links.payment_path(sights.payment_of(world, _unpaid(world)))

    return Page(name, "nobody", path, lambda world: _signed(path(world)))


def _person(world: World) -> str:
    return str(User.objects.get(username="gallery-shop").pk)


def _of_buyer(name: str, order: Callable[[World], str]) -> Page:
    """A buyer's page of an order, entered by the buyer's link."""
    return Page(
        name,
        "nobody",
        lambda world: reverse(f"portal:{name}", args=[order(world)]),
        lambda world: _link(order(world)),
    )


def _link(order_id: str) -> str:
    return _signed(buyer_links.order_path(order_id))


def _signed(path: str) -> str:
    return f"{path}/{buyer_links.sign(path, until=timezone.now() + timedelta(days=1))}"


MEMBERS, SHOP = ("seller", "platform"), ("platform",)
# Of the portal: the name of the address, who opens it, and what stands in the address.
PORTAL: list[tuple[str, tuple[str, ...], dict[str, Callable[[World], str]]]] = [
    ("overview", MEMBERS, {}),
    ("orders", MEMBERS, {}),
    ("cancel-order", SHOP, {"order_id": _paid}),
    ("refund-order", SHOP, {"order_id": _paid}),
    ("ship-many", MEMBERS, {}),
    ("ship-review", ("seller",), {"job_id": upload}),
    ("jobs", MEMBERS, {}),
    ("job", SHOP, {"job_id": _job}),
    ("disputes", MEMBERS, {}),
    ("dispute", MEMBERS, {"dispute_id": sights.contested}),
    ("dispute-accept", ("seller",), {"dispute_id": sights.complained}),
    ("dispute-offer", ("seller",), {"dispute_id": sights.complained}),
    ("dispute-contest", SHOP, {"dispute_id": sights.complained}),
    ("dispute-received", ("seller",), {"dispute_id": sights.sent_back}),
    ("dispute-refused", SHOP, {"dispute_id": sights.sent_back}),
    ("payouts", MEMBERS, {}),
    ("payout", MEMBERS, {"payout_id": _payout}),
    ("balance", MEMBERS, {}),
    ("accounts", MEMBERS, {}),
    ("account-new", MEMBERS, {}),
    ("account-of", SHOP, {"payee": lambda world: world.merchants[0].pk}),
    ("debts", MEMBERS, {}),
    ("sellers", SHOP, {}),
    ("seller-new", SHOP, {}),
    ("seller", SHOP, {"merchant_id": lambda world: world.merchants[0].pk}),
    ("commission", ("seller",), {}),
    ("plans", SHOP, {}),
    ("parties", SHOP, {}),
    ("plan", SHOP, {"plan_id": sights.draft}),
    ("plan-terms", SHOP, {"plan_id": sights.draft}),
    ("plan-import", SHOP, {"plan_id": sights.draft}),
    ("plan-rule-new", SHOP, {"plan_id": sights.draft}),
    ("plan-rule", SHOP, {"plan_id": sights.draft, "rule_id": sights.rule}),
    ("plan-explain", SHOP, {"plan_id": sights.draft}),
    ("plan-what-if", SHOP, {"plan_id": sights.draft}),
    ("plan-trial", SHOP, {"job_id": sights.trial}),
    ("branding", SHOP, {}),
    ("keys", SHOP, {}),
    ("key-new", SHOP, {}),
    ("webhooks", SHOP, {}),
    ("webhook-new", SHOP, {}),
    ("webhook", SHOP, {"endpoint_id": endpoint}),
    ("delivery", SHOP, {"delivery_id": delivery}),
    ("events", SHOP, {}),
    ("requests", SHOP, {}),
    ("request", SHOP, {"request_id": sights.request}),
    ("clock", SHOP, {}),
    ("profile", MEMBERS, {}),
    ("people", MEMBERS, {}),
    ("notifications", MEMBERS, {}),
    ("invite", SHOP, {}),
    ("person", SHOP, {"person_id": _person}),
    ("order", MEMBERS, {"order_id": _order}),
]
# Addresses that show no page of their own: they send people on, answer forms, or hand out files.
NO_PAGE = {
    "person-role",
    "sign-out-elsewhere",
    "person-switch",
    "invitation-act",
    "brand-style",
    "brand-logo",
    "home",
    "theme",
    "statement-file",
    "run-statements",
    "account-cancel",
    "key-roll",
    "key-revoke",
    "plan-draft",
    "plan-drop",
    "plan-file",
    "plan-force",  # asks for the password again first: tests/portal/test_plans.py sees it
    "plan-rule-end",
    "plan-trial-file",
    "webhook-act",
    "delivery-resend",
    "side",
    "add-parcel",
    "correct-parcel",
    "export-orders",
    "extend-order",
    "ship-order",
    "save-view",
    "forget-view",
    "job-file",
    "receipt",
    "ship-template",
    "ship-faults",
    "dispute-files",
    "dispute-file",
    "buyer-link",
    "buyer-extend",
    "buyer-decline",
    "buyer-return",
    "buyer-file",
    "buyer-files",
    "payment-link",
    "payment-state",
    "pay-otherwise",
}

BUYER = [
    _of_buyer("buyer-order", _shipped),
    _of_buyer("buyer-confirm", _shipped),
    _of_buyer("buyer-complain", _shipped),
    _of_buyer("buyer-dispute", _disputed),
    _of_buyer("buyer-accept", sights.offered),
    _of_buyer("buyer-withdraw", _disputed),
    _of_buyer("buyer-pay", _unpaid),
    _payment_page("payment"),
    Page("join", "nobody", sights.invitation),
]

OTHERS = [
    Page("login", "nobody", _at("account_login")),
    Page("forgotten", "nobody", _at("account_reset_password")),
    Page("second-factor", "seller", _at("mfa_index")),
    Page("sessions", "seller", _at("usersessions_list")),
    Page("admin", "operator", _at("admin:index")),
]


def tested_pages() -> list[Page]:
    """Every page but those of the admin that are all alike."""
    portal = [
        Page(f"{name}-{who}", who, _at(f"portal:{name}", **keys))
        for name, people, keys in PORTAL
        for who in people
    ]
    return [*OTHERS, *BUYER, *portal]


def admin_pages() -> Iterator[Page]:
    """The list and one row of every model of the admin that has any."""
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        yield Page(f"admin-{label}", "operator", _at(f"admin:{label}_changelist"))
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            key = str(first.pk)
            yield Page(
                f"admin-{label}-page",
                "operator",
                lambda world, label=label, key=key: reverse(f"admin:{label}_change", args=[key]),
            )


def unlisted() -> set[str]:
    """Addresses of the portal that nobody has put into the gallery."""
    named = {each.name for each in urls.urlpatterns if isinstance(each, URLPattern)}
    listed = {name for name, _people, _keys in PORTAL} | {page.name for page in BUYER}
    return {str(name) for name in named} - listed - NO_PAGE


def make_people(world: World) -> dict[str, User]:
    """Somebody of each kind, to be signed in."""
    seller = Merchant.objects.filter(platform=world.platform).earliest("pk")
    made, key = User.objects.create_user, "a long password"
    return {
        "seller": made("gallery-seller", "gs@example.com", key, merchant=seller),
        "platform": made("gallery-shop", "gp@example.com", key, platform=world.platform),
        "operator": User.objects.create_superuser(
            "gallery-op", "go@example.com", "a long password"
        ),
    }
