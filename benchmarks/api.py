"""`make bench-api`: creating an order over HTTP, served by gunicorn with two workers, against a
bare view that authenticates and inserts one row, and against itself without an Idempotency-Key.

Exit code 1 when the goal is missed.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
WARM_UP_SECONDS = 1.0
CLIENTS = 8
WORKERS = 2
GOAL = 0.2  # of the bare view's requests per second; Source: ADR 0024


def main() -> int:
    """Measure in turn. Returns: the exit code."""
    from settlement_site import embedded

    embedded.start()
    import django

    django.setup()
    from django.db import connection

    from benchmarks.database import NAME, bench_database

    with bench_database():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE bench_bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                " platform_id text, reference text)"
            )
        merchant_id, key = _open_shop()
        connection.close()
        with _serve(NAME, bare=False) as ours, _serve(NAME, bare=True) as bare:
            return _report(merchant_id, key, ours=ours, bare=bare)


def _open_shop() -> tuple[str, str]:
    from django.utils import timezone

    from merchants import services as merchants

    at = timezone.now()
    platform = merchants.create_platform(name="Bench", slug="bench", at=at)
    plan = merchants.create_plan(platform=platform, name="Bench", at=at)
    merchants.add_rule(plan=plan, currency="CNY", rate_bps=500, effective_from=at, at=at)
    merchant = merchants.create_merchant(platform=platform, reference="s", name="S", at=at)
    _row, key = merchants.create_api_key(platform=platform, name="bench", at=at)
    return merchant.id, key


def _report(merchant_id: str, key: str, *, ours: int, bare: int) -> int:
    from benchmarks.load import Load, send_load

    def request(client: int, number: int, *, idempotent: bool) -> bytes:
        reference = secrets.token_hex(12)
        body = json.dumps(
            {
                "reference": reference,
                "merchant": merchant_id,
                "currency": "CNY",
                "lines": [{"title": "Tea", "amount_minor": 9001, "category": "tea"}],
                "shipping_minor": 1000,
            }
        )
        more = f"Idempotency-Key: {reference}\r\n" if idempotent else ""
        return (
            f"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    sides = {
        "with Idempotency-Key": (ours, True),
        "without": (ours, False),
        "bare view": (bare, False),
    }

    def measure(name: str, seconds: float) -> Load:
        port, idempotent = sides[name]
        make = partial(request, idempotent=idempotent)
        return send_load(make, port=port, clients=CLIENTS, seconds=seconds, expected=201)

    rates: dict[str, list[float]] = {name: [] for name in sides}
    for name in sides:
        measure(name, WARM_UP_SECONDS)  # at its first requests a worker imports and plans
    for _ in range(ROUNDS):
        for name, found in rates.items():
            load = measure(name, SECONDS)
            found.append(load.per_second)
            print(
                f"{name:22} {load.per_second:7.0f}/s  p50 {load.p50_ms:6.1f} ms"
                f"  p99 {load.p99_ms:6.1f} ms"
            )
    pairs = zip(rates["with Idempotency-Key"], rates["bare view"], strict=True)
    ratio = median(one / other for one, other in pairs)
    pairs = zip(rates["with Idempotency-Key"], rates["without"], strict=True)
    cost = median(one / other for one, other in pairs)
    met = ratio >= GOAL
    print(
        f"bench-api: {'ok' if met else 'MISSED'}: create-order / bare view {ratio:.2f}"
        f" (goal >= {GOAL}); with / without Idempotency-Key {cost:.2f}"
    )
    return 0 if met else 1


@contextmanager
def _serve(database: str, *, bare: bool) -> Iterator[int]:
    """Run gunicorn for the block. Yields: its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "BENCH_DATABASE": database,
        "BENCH_BARE": "1" if bare else "",
        "API_WRITES_PER_MINUTE": "100000000",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(WORKERS), "benchmarks.served:application"]
    server = subprocess.Popen(command, env=environment)
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("gunicorn did not start")


if __name__ == "__main__":
    sys.exit(main())
