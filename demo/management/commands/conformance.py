"""Tries a platform's receiver of webhooks and prints what it stands. It must never serve a live
key."""

import base64
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from api.models import StoredAnswer
from demo import seed
from demo.conformance.receiver import Receiver
from demo.conformance.report import Verdict, run_cases, write_table
from demo.conformance.trial import HoldfastRefused, Trial
from notifications import webhooks
from notifications.models import WebhookSecret

TEST_KEY = "sk_test_"


class Command(BaseCommand):
    help = (
        "Try a receiver of webhooks: forged, late, repeated and disordered events, a refund, a"
        " deadline. Orders, pays and moves the test clock of the key's platform."
    )

    pause = staticmethod(time.sleep)  # between two looks at something that is waited for

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            required=True,
            help="base URL of the receiver; one of the platform's webhook endpoints begins with it",
        )
        parser.add_argument("--key", help="test key of its platform; by default that of the demo")
        parser.add_argument(
            "--api", help="address of Holdfast; by default that of the demo, or ours"
        )
        parser.add_argument(
            "--secret",
            help="whsec_… of the endpoint; by default this installation looks it up",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """End with 1 when a case fails."""
        key, address = _access(options["key"], options["api"])
        if not key.startswith(TEST_KEY):
            raise CommandError(f"The conformance suite takes a test key, {TEST_KEY}…, only.")
        headers = {"Authorization": f"Bearer {key}"}
        with (
            httpx.Client(base_url=address, headers=headers, trust_env=False) as api,
            httpx.Client(trust_env=False) as http,
        ):
            try:
                trial = _trial(
                    api, http, base_url=options["url"].rstrip("/"), secret=options["secret"]
                )
                trial.pause = self.pause
                results = write_table(run_cases(trial), self._write)
            except (HoldfastRefused, httpx.RequestError) as trouble:
                raise CommandError(f"Holdfast at {address}: {trouble}") from None
        if any(result.verdict is Verdict.FAILED for result in results):
            sys.exit(1)

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _access(key: str | None, address: str | None) -> tuple[str, str]:
    demo = seed.read_access() if seed.access_path().exists() else None
    key = key or (demo.api_key if demo else "")
    ours = demo is not None and demo.api_key == key and demo.base_url
    return key, address or ours or settings.PUBLIC_URL


def _trial(api: httpx.Client, http: httpx.Client, *, base_url: str, secret: str | None) -> Trial:
    trial = Trial(
        api=api, receiver=Receiver(base_url, "", (), http), endpoint_id="", with_door=False
    )
    endpoints = [
        each
        for each in trial.get("/v1/webhook-endpoints", limit="100")["data"]
        if each["url"].startswith(f"{base_url}/") and each["state"] == "ENABLED"
    ]
    if not endpoints:
        raise CommandError(
            f"None of the platform's enabled webhook endpoints begins with {base_url}/."
        )
    trial.endpoint_id = endpoints[0]["id"]
    trial.receiver.webhook_url = endpoints[0]["url"]
    trial.receiver.keys = [_key(secret)] if secret else _keys(trial.endpoint_id)
    trial.keeps_keys = None if secret else _keeps_keys
    trial.with_door = trial.receiver.has_door()
    return trial


def _keys(endpoint_id: str) -> Sequence[bytes]:
    valid = Q(expires_at__isnull=True) | Q(expires_at__gt=datetime.now(UTC))
    keys = webhooks.open_secrets(WebhookSecret.objects.filter(valid, endpoint_id=endpoint_id))
    if not keys:
        raise CommandError("This installation does not know the endpoint; give its --secret.")
    return keys


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(webhooks.KEY_PREFIX), validate=True)
    except ValueError:
        raise CommandError("A webhook secret looks like whsec_….") from None


def _keeps_keys(order_id: str) -> bool:
    """Whether the answer to an order's creation is kept under an Idempotency-Key."""
    return StoredAnswer.objects.filter(location=f"/v1/orders/{order_id}").exists()
