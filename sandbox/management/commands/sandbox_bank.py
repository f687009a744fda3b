"""Serve the sandbox bank. Options choose; keys and port come from settings.RAILS."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox import bank, serve


class Command(BaseCommand):
    help = "Serve the sandbox bank until SIGTERM or Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help="default: of the rail's base_url; 0: any free")
        parser.add_argument("--book", default=Path(settings.VAR_DIR, "sandbox-bank.sqlite3"))
        parser.add_argument("--rail", default="sandbox-bank", help="its name in settings.RAILS")
        parser.add_argument("--result-seconds", type=float, default=1.0)
        parser.add_argument("--forgetful", action="store_true", help="pay a reference every time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bind first, so that a taken port is told in one sentence; then serve."""
        try:
            keys = serve.keys_of(settings.RAILS, options["rail"])
            bound = serve.bind(options["host"], options["port"], keys["base_url"])
        except serve.CannotServe as refused:
            raise CommandError(str(refused)) from None
        service = bank.create_bank(
            options["book"],
            key_id=keys["key_id"],
            secret=keys["secret"],
            clock=serve.now_utc,
            deliver=serve.Http().deliver,
            hang=serve.hang,
            remembers_references=keys["remembers_references"] and not options["forgetful"],
            result_seconds=options["result_seconds"],
            incoming_notify_url=f"{settings.PUBLIC_URL}/v1/inbound/rails/{options['rail']}",
        )
        self.stdout.write(f"Sandbox bank: {serve.address_of(bound)}")
        self.stdout.flush()
        serve.serve(service, bound)
