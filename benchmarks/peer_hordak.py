"""The peer of benchmark (a): django-hordak posting the same four legs, row by row as its
documentation shows.

Runs as its own process with its own settings and database: `python -m benchmarks.peer_hordak URL
CLIENTS SECONDS`.
"""

import json
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command


def configure(url: str) -> None:
    """Settings for hordak alone, on the same server as ours."""
    parts = urlsplit(url)
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path.strip("/"),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
                "PORT": parts.port or "",
                "CONN_MAX_AGE": 600,
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        HORDAK_CURRENCIES=["CNY"],
        DEFAULT_CURRENCY="CNY",
        USE_TZ=True,
    )
    django.setup()


def releases(client: int) -> Iterator[None]:
    """Post releases as hordak users do: one entry, four legs, one row at a time, in one database
    transaction."""
    from django.db import connection, transaction
    from hordak.models import Account, Leg, Transaction
    from moneyed import Money

    connection.close()
    held, commission, fee = (Account.objects.get(code=code) for code in ("1", "2", "3"))
    sellers = list(Account.objects.filter(code__startswith="9"))
    number = client * 7919
    yield
    while True:
        number += 1
        with transaction.atomic():
            entry = Transaction.objects.create(description=f"release {number}")
            Leg.objects.create(transaction=entry, account=held, debit=Money("100.01", "CNY"))
            Leg.objects.create(
                transaction=entry,
                account=sellers[number % len(sellers)],
                credit=Money("94.91", "CNY"),
            )
            Leg.objects.create(transaction=entry, account=commission, credit=Money("4.50", "CNY"))
            Leg.objects.create(transaction=entry, account=fee, credit=Money("0.60", "CNY"))
        yield


def prepare() -> None:
    """Migrate, and open the same accounts as ours: held, commission, fee and the sellers'."""
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    if not Account.objects.exists():
        for code, kind in (
            ("1", AccountType.liability),
            ("2", AccountType.liability),
            ("3", AccountType.income),
        ):
            Account.objects.create(name=code, code=code, type=kind, currencies=["CNY"])
        for number in range(500):
            Account.objects.create(
                name=f"s{number}",
                code=f"9{number:04d}",
                type=AccountType.liability,
                currencies=["CNY"],
            )


def main() -> None:
    """Prepare or measure; prints one JSON number."""
    url, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    configure(url)
    if not clients:
        prepare()
        return
    from benchmarks.clients import count_per_second

    print(json.dumps(count_per_second(releases, clients=clients, seconds=seconds)))


if __name__ == "__main__":
    main()
