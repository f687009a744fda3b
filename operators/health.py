"""Whether the machinery runs, told from its own rows: lag, last work, versions, clocks.

It must never wait for anything longer than half a second, nor tell a secret or an address.
"""

import platform
import time
from datetime import datetime
from importlib.metadata import version
from typing import Any

import django
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext_lazy as _

from channels.models import InboundNotification
from ledger import admin_panels as panels
from notifications.models import Delivery, DeliveryState, Event
from operators import glance

KEY = "operators-health"
LIBRARIES = ("celery", "djangorestframework", "django-allauth", "django-unfold", "psycopg")


def services(*, at: datetime) -> panels.Facts:
    """Ask the database and Redis, and compare their clocks with ours."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), current_setting('server_version')")
        theirs, server = cursor.fetchone()
    asked = time.monotonic() - began
    missing = MigrationExecutor(connection).migration_plan(
        MigrationExecutor(connection).loader.graph.leaf_nodes()
    )
    return panels.Facts(
        title=_("Services"),
        facts=[
            (_("Database"), panels.badge(f"{asked * 1000:.1f} ms", "success")),
            (_("Redis"), _redis(at)),
            (_("Clock of the database against ours"), f"{(theirs - at).total_seconds():+.3f} s"),
            (_("Migrations not applied"), _tone(len(missing))),
            ("PostgreSQL", server),
            ("Python", platform.python_version()),
            ("Django", django.get_version()),
            *((name, version(name)) for name in LIBRARIES),
        ],
    )


def _redis(at: datetime) -> Any:
    began = time.monotonic()
    try:
        cache.set(KEY, at.isoformat(), timeout=60)
        kept = cache.get(KEY) == at.isoformat()
    except Exception:  # the client has a dozen exceptions; any of them means no
        kept = False
    took = f"{(time.monotonic() - began) * 1000:.1f} ms"
    return panels.badge(took, "success") if kept else panels.badge(_("No answer"), "danger")


def _tone(count: int) -> Any:
    return panels.badge(count, "danger" if count else "success")


def queues(*, at: datetime) -> panels.Table:
    """Say of each queue how much waits, since when, and when something last left it."""
    events = Event.objects.filter(relayed_at=None)
    mails = Delivery.objects.filter(state=DeliveryState.PENDING)
    failed = Delivery.objects.filter(state=DeliveryState.FAILED)
    inbox = InboundNotification.objects.filter(due_at__isnull=False)
    queued = (
        (_("Events to pass on"), events, "created_at"),
        (_("Mails and webhooks to send"), mails, "created_at"),
        (_("Mails and webhooks given up"), failed, "created_at"),
        (_("Messages to apply"), inbox, "received_at"),
    )
    rows = []
    for label, waiting, since in queued:
        found = list(waiting.order_by("pk").values_list(since, flat=True)[: glance.MAX_COUNTED])
        oldest = panels.instant(found[0]) if found else panels.NOTHING
        lag = f"{max((at - found[0]).total_seconds(), 0):,.0f} s" if found else panels.NOTHING
        rows.append([label, str(len(found)), oldest, lag])
    return panels.Table(
        title=_("Queues"),
        headings=[_("What waits"), _("How many"), _("Oldest"), _("Lag")],
        numbers=[1, 3],
        rows=rows,
    )


def heartbeats() -> panels.Table:
    """When each kind of program last did something that left a row."""
    newest = (
        (_("An event was written"), Event.objects.all(), "created_at"),
        (_("An event was passed on"), Event.objects.exclude(relayed_at=None), "relayed_at"),
        (
            _("A mail or webhook was sent"),
            Delivery.objects.filter(state=DeliveryState.SENT),
            "sent_at",
        ),
        (
            _("A message of a channel or bank was applied"),
            InboundNotification.objects.exclude(applied_at=None),
            "applied_at",
        ),
    )
    rows = []
    for label, of, when in newest:
        last = of.order_by("-pk").values_list(when, flat=True).first()
        rows.append([label, panels.instant(last)])
    return panels.Table(
        title=_("Last signs of life"), headings=[_("What happens"), _("When")], rows=rows
    )
