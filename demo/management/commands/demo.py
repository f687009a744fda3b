"""Runs all of Holdfast in one terminal: services, a seeded marketplace, one live order.

It must never be the way
production is run."""

import fcntl
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from demo import ports
from demo.supervisor import ProgramEnded, Supervisor

WEB_PORT, CHANNEL_PORT, BANK_PORT = 8000, 8001, 8002
READY_SECONDS = 60
LOOPBACK = "127.0.0.0/8"


class Command(BaseCommand):
    help = (
        "Start everything, seed a small marketplace, walk one live order through, and keep serving."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="stop after the live order; 0 only if it was paid out",
        )
        parser.add_argument(
            "--port",
            type=int,
            help=f"of the web server; by default {WEB_PORT} or the next free one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """End with 0 when stopped while serving or, with --once, when the order was paid out."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` would ignore it
        serving = False
        try:
            with _only_demo():
                addresses = self._choose_addresses(options["port"])
                self._prepare(addresses)
                with Supervisor(log_directory=_log_directory()) as supervisor:
                    self._start_all(supervisor, addresses)
                    paid_out = self._walk(addresses["PUBLIC_URL"])
                    if options["once"]:
                        sys.exit(0 if paid_out else 1)
                    serving = True
                    self._say(
                        "\nServing at {0} (admin: {0}/admin/).".format(addresses["PUBLIC_URL"])
                    )
                    self._say("A shop that uses it: `make shop` in a second terminal.")
                    self._say(f"Logs: {_log_directory()}. Ctrl-C stops everything.")
                    supervisor.watch()
        except ProgramEnded as ended:
            raise CommandError(str(ended)) from None
        except KeyboardInterrupt:
            self._say("\nStopped.")
            sys.exit(0 if serving else 130)
        except SystemExit as asked:
            if serving and asked.code not in (
                0,
                1,
            ):  # SIGTERM or SIGHUP: being asked to stop is no failure
                self._say("\nStopped.")
                sys.exit(0)
            raise

    def _choose_addresses(self, port: int | None) -> dict[str, str]:
        """Find free ports and say it where a default one is taken.

        Raises: CommandError for a taken --port.
        """
        if port is not None and not (0 < port <= ports.HIGHEST and ports.is_free(port)):
            raise CommandError(
                f"Port {port} cannot be used: another program listens there, or it is not ours."
            )
        chosen: list[int] = []
        for name, wanted in (
            ("web", port or WEB_PORT),
            ("channel", CHANNEL_PORT),
            ("bank", BANK_PORT),
        ):
            free = ports.first_free(wanted, taken=chosen)
            chosen.append(free)
            if free != wanted:
                self._say(f"Port {wanted} is taken, so the {name} is at port {free}.")
        web, channel, bank = (f"http://127.0.0.1:{number}" for number in chosen)
        return {
            "PUBLIC_URL": web,
            "SANDBOX_CHANNEL_URL": channel,
            "SANDBOX_BANK_URL": bank,
            "SWEEP_SECONDS": "1",
            # So that a shop on this machine is told by webhook.
            "WEBHOOK_ALLOWED_NETWORKS": _networks() or LOOPBACK,
        }

    def _prepare(self, addresses: dict[str, str]) -> None:
        """Migrate and seed, with the addresses in force here and in every program we start."""
        from demo import seed

        os.environ.update(addresses)
        settings.PUBLIC_URL = addresses["PUBLIC_URL"]
        settings.CHANNELS["sandbox"]["base_url"] = addresses["SANDBOX_CHANNEL_URL"]
        settings.RAILS["sandbox-bank"]["base_url"] = addresses["SANDBOX_BANK_URL"]
        self._say("Migrating.")
        call_command("migrate", verbosity=0, interactive=False)
        self._say("Seeding.")
        made = seed.seed_marketplace(at=timezone.now())
        if made:
            self._say(str(made))
        seed.note_address(addresses["PUBLIC_URL"])
        connections.close_all()

    def _start_all(self, supervisor: Supervisor, addresses: dict[str, str]) -> None:
        python, manage = sys.executable, str(settings.BASE_DIR / "manage.py")
        celery = [python, "-m", "celery", "--app", "settlement_site"]
        web, channel, bank = (
            addresses[name] for name in ("PUBLIC_URL", "SANDBOX_CHANNEL_URL", "SANDBOX_BANK_URL")
        )
        books = settings.VAR_DIR / "sandbox"
        books.mkdir(parents=True, exist_ok=True)
        self._say("Starting bank, channel, web, worker and beat.")
        os.chdir(settings.BASE_DIR)
        supervisor.start(
            "bank",
            [
                python,
                manage,
                "sandbox_bank",
                "--port",
                _port(bank),
                "--book",
                str(books / "bank.sqlite3"),
            ],
        )
        supervisor.start(
            "channel",
            [
                python,
                manage,
                "sandbox_channel",
                "--port",
                _port(channel),
                "--book",
                str(books / "channel.sqlite3"),
            ],
        )
        supervisor.start(
            "web",
            [python, "-m", "gunicorn", "--bind", web.removeprefix("http://"), "--workers", "1"],
        )
        supervisor.start(
            "worker",
            [*celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"],
        )
        supervisor.start("beat", [*celery, "beat", "--pidfile", ""])
        for name, url in (("bank", bank), ("channel", channel), ("web", f"{web}/readyz")):
            supervisor.wait_until(partial(_answers, url), what=name, seconds=READY_SECONDS)
        supervisor.wait_until(_worker_answers, what="worker", seconds=READY_SECONDS)

    def _walk(self, base_url: str) -> bool:
        from demo import walk

        return walk.walk_live_order(base_url=base_url, write=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _only_demo() -> Iterator[None]:
    """Let one demo of this checkout run at a time. Raises: CommandError."""
    path = settings.VAR_DIR / "run" / "demo.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                "A demo of this checkout is already running; stop it first."
            ) from None
        yield


def _networks() -> str:
    return ",".join(str(network) for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def _log_directory() -> Path:
    return Path(settings.VAR_DIR) / "log"


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def _answers(url: str) -> bool:
    """Tell whether a service answers; any answer that is no failure of its own will do."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def _worker_answers() -> bool:
    return bool(current_app.control.ping(timeout=0.5))
