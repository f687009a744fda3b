"""Who may open a buyer's page: whoever came by a link to it, in this browser, for some hours.

The right is a signed cookie that the browser sends to that one page and those below it: a link that
is opened, by a person or by a mail scanner, writes nothing on our side. It must never tell a wrong
link from an expired one, nor a foreign order from one that does not exist.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

import pghistory
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)
from redis.exceptions import RedisError

from merchants import clocks
from merchants.models import Platform
from notifications import buyer_links
from orders import selectors
from orders.models import Order, Payment
from portal.buyer.branding import Brand, brand_of

LASTS = timedelta(hours=12)  # in a browser, however long the link is good
WRONG_LINKS = 30  # per minute and address, before all its links are refused for the minute
MINUTE = 60

log = logging.getLogger(__name__)


class BuyerRequest(HttpRequest):
    """What a page of a buyer is handed. `at`: now, on the platform's own clock."""

    order: Order
    payment: Payment
    brand: Brand
    at: datetime


Page = Callable[..., HttpResponse]


def order_page(page: Page) -> Page:
    """Open a page to the buyer of the order in its address alone."""

    @wraps(page)
    def opened(request: Any, order_id: str, **kwargs: Any) -> HttpResponse:
        order = None
        if has_right(request, buyer_links.order_path(order_id)):
            order = selectors.get_order_for_page(order_id=order_id)
        if order is None:
            return refuse(request)
        request.order = order
        zone = order.buyer_time_zone or order.platform.time_zone
        with pghistory.context(actor=f"buyer:{order.pk}"), around(request, order.platform, zone):
            return private(page(request, **kwargs))

    return opened


def around(request: Any, platform: Platform, zone: str) -> ExitStack:
    """Say whose page it is, what time it is there, and read in the buyer's zone and language."""
    stack = ExitStack()
    stack.enter_context(timezone.override(ZoneInfo(zone)))
    if not _has_language(request):
        translation.activate(platform.language)
    request.LANGUAGE_CODE = translation.get_language()
    request.brand = brand_of(platform)
    request.at = clocks.now_of(platform, now=timezone.now())
    return stack


def enter(request: HttpRequest, *, path: str, ends: Callable[[], datetime | None]) -> HttpResponse:
    """Keep a right in the browser and go on to the page itself, so that the link leaves the
    address bar.

    Args: ends: finds out when the link ends, None: it is none. Not asked on behalf of somebody who
        guesses.
    """
    if is_guessing(request):
        return refuse(request, status=429)
    until = ends()
    if until is None or until <= timezone.now():
        _note_wrong_link(request)
        return refuse(request)
    answer = redirect(path)
    give_right(answer, path, until=until)
    return private(answer)


def give_right(answer: HttpResponse, path: str, *, until: datetime) -> None:
    """Let this browser open a page, for twelve hours and not beyond `until`."""
    ends = min(until, timezone.now() + LASTS)
    answer.set_cookie(
        cookie_of(path),
        buyer_links.sign(_in_browser(path), until=ends),
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # the link comes from a mail or the shop's page
    )


def has_right(request: HttpRequest, path: str) -> bool:
    """Whether this browser was given the right to a page, and it lasts."""
    until = buyer_links.read(_in_browser(path), request.COOKIES.get(cookie_of(path), ""))
    return until is not None and until > timezone.now()


def cookie_of(path: str) -> str:
    """What the right to a page is kept as: each by itself."""
    return "right" + path.replace("/", "-")


def refuse(request: HttpRequest, *, status: int = 404) -> HttpResponse:
    """The one page for every link and every address that opens nothing."""
    return private(render(request, "portal/buyer/refused.html", status=status))


def private(answer: HttpResponse) -> HttpResponse:
    """No cache and no search engine keeps it, and no page it leads to is told where one came
    from."""
    answer["Cache-Control"] = "private, no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer" if answer.status_code == 302 else "same-origin"
    return answer


def is_guessing(request: HttpRequest) -> bool:
    """Whether too many wrong links came from an address this minute. While Redis is away, nobody
    is refused."""
    try:
        return int(cache.get(_counter(request), 0)) >= WRONG_LINKS
    except RedisError:
        log.warning("wrong links are not counted: the cache does not answer")
        return False


def _note_wrong_link(request: HttpRequest) -> None:
    try:
        name = _counter(request)
        if not cache.add(name, 1, timeout=2 * MINUTE):
            cache.incr(name)
    except (RedisError, ValueError):  # away, or forgotten between the two
        log.warning("a wrong link was not counted")


def _counter(request: HttpRequest) -> str:
    window = int(time.time() // MINUTE)
    return f"buyer-links:{request.META.get('REMOTE_ADDR', '')}:{window}"


def _in_browser(path: str) -> str:
    """What a kept right is signed for: it is no link."""
    return f"{path} in a browser"


def _has_language(request: HttpRequest) -> bool:
    """Whether the reader has chosen a language here, or asks for one that we speak."""
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return True
    for wanted, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            get_supported_language_variant(wanted)
        except LookupError:
            continue
        return True
    return False
