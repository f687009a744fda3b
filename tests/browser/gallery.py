"""Every page people see, and who sees it: what the browser looks at, and what `make screenshots`
takes pictures of.

A page of the portal that is neither here nor left out on purpose fails the gallery's test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, reverse
from django.utils import timezone

from merchants.models import Merchant, User
from notifications import services as notifications
from notifications.models import Delivery, WebhookEndpoint
from notifications.services import fan_out
from orders.models import Order
from payouts.models import Payout
from portal import urls
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
    """One address. `who`: nobody, seller, platform or operator."""

    name: str
    who: str
    address: Callable[[World], str]


def _at(name: str, **keys: Callable[[World], str]) -> Callable[[World], str]:
    return lambda world: reverse(name, kwargs={key: find(world) for key, find in keys.items()})


def _order(world: World) -> str:
    return Order.objects.filter(merchant__platform=world.platform).earliest("pk").pk


def _payout(world: World) -> str:
    merchant = Merchant.objects.filter(platform=world.platform).earliest("pk")
    return Payout.objects.filter(merchant=merchant).earliest("pk").pk


def _endpoint(world: World) -> str:
    endpoints = WebhookEndpoint.objects.filter(platform=world.platform)
    found = endpoints.first()
    if found is None:
        found, _secret = notifications.create_endpoint(
            platform=world.platform, url="https://shop.example.com/hooks", at=world.now
        )
        notifications.send_test_ping(endpoint_id=found.pk, at=world.now)
        fan_out.pass_on_due_events(at=timezone.now())
    return found.pk


def _delivery(world: World) -> str:
    _endpoint(world)
    return Delivery.objects.filter(channel="webhook").latest("pk").public_id


MEMBERS, SHOP = ("seller", "platform"), ("platform",)
# Of the portal: the name of the address, who opens it, and what stands in the address.
PORTAL: list[tuple[str, tuple[str, ...], dict[str, Callable[[World], str]]]] = [
    ("overview", MEMBERS, {}),
    ("orders", MEMBERS, {}),
    ("payouts", MEMBERS, {}),
    ("payout", MEMBERS, {"payout_id": _payout}),
    ("debts", MEMBERS, {}),
    ("sellers", SHOP, {}),
    ("seller-new", SHOP, {}),
    ("seller", SHOP, {"merchant_id": lambda world: world.merchants[0].pk}),
    ("keys", SHOP, {}),
    ("key-new", SHOP, {}),
    ("webhooks", SHOP, {}),
    ("webhook-new", SHOP, {}),
    ("webhook", SHOP, {"endpoint_id": _endpoint}),
    ("delivery", SHOP, {"delivery_id": _delivery}),
    ("events", SHOP, {}),
    ("clock", SHOP, {}),
    ("order", MEMBERS, {"order_id": _order}),
]
# Addresses that show no page of their own: they send people on, answer forms, or hand out files.
NO_PAGE = {
    "home",
    "theme",
    "statement-file",
    "key-roll",
    "key-revoke",
    "webhook-act",
    "delivery-resend",
    "side",
}

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
    return [*OTHERS, *portal]


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
    return {str(name) for name in named} - {name for name, _people, _keys in PORTAL} - NO_PAGE


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
