"""The devices somebody is signed in on, in words a person knows theirs by. It must never guess
more than a browser says of itself.
"""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _

from merchants.models import User

# What browsers write, the telling ones first: each also writes the names of those below it.
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("AlipayClient", "Alipay"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    ip: str
    since: datetime
    here: bool


def devices_of(user: User, *, session_key: str | None) -> list[Device]:
    """List where somebody is signed in, this device first, then the newest."""
    found = [
        Device(
            device_name(each.user_agent), each.ip, each.created_at, each.session_key == session_key
        )
        for each in UserSession.objects.purge_and_list(user)
    ]
    return sorted(found, key=lambda each: (each.here, each.since), reverse=True)


def device_name(user_agent: str) -> str:
    """Say a browser's own words as people do: Firefox, Windows."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    return " · ".join(each for each in (browser, system) if each) or _("Unknown browser")


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
