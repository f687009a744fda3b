"""The ways to pay that a buyer may choose from: those this installation has and this platform may
use, and no others."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels import registry
from merchants.models import Mode, Platform

NAMES: dict[str, str | Promise] = {"sandbox": _("Sandbox: pay with made-up money")}  # by provider


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay. `name` is the channel's, `label` what a person reads."""

    name: str
    label: str | Promise


def ways_to_pay(platform: Platform) -> list[Way]:
    """The channels that are enabled and serve this platform."""
    live = platform.mode == Mode.LIVE
    return [
        Way(each.name, NAMES.get(each.provider, each.name))
        for each in registry.list_channels()
        if each.enabled and _serves(each.name, live=live)
    ]


def _serves(name: str, *, live: bool) -> bool:
    try:
        registry.check_channel(name, live=live)
    except registry.ChannelDisabled:
        return False
    return True


def is_web_page(cashier_url: str) -> bool:
    """Whether a browser can follow it. What is meant for an app's camera alone cannot."""
    return cashier_url.startswith(("https://", "http://"))
