"""Serve the sandbox payment channel; keys and port come from settings.CHANNELS and RAILS."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox import channel, serve


class Command(BaseCommand):
    help = "Serve the sandbox payment channel until SIGTERM or Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help="default: of its base_url; 0: any free")
        parser.add_argument("--book", default=Path(settings.VAR_DIR, "sandbox-channel.sqlite3"))
        parser.add_argument("--channel", default="sandbox", help="its name in settings.CHANNELS")
        parser.add_argument("--rail", default="sandbox-bank", help="where it remits; '' is nowhere")
        parser.add_argument("--base-url", help="public address of the cashier page")
        parser.add_argument("--bank-url", help="default: base_url of the rail")
        parser.add_argument("--notify-url", help="of remittances; default: our inbound address")
        parser.add_argument("--fee-bps", type=int, default=60)
        parser.add_argument("--remit-seconds", type=float, default=5.0)
        parser.add_argument("--refund-seconds", type=float, default=1.0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Bind first, so that a taken port is told in one sentence; then serve."""
        http, remit = serve.Http(), None
        try:
            keys = serve.keys_of(settings.CHANNELS, options["channel"])
            if options["rail"]:
                rail = serve.keys_of(settings.RAILS, options["rail"])
                bank_url = options["bank_url"] or rail["base_url"]
                remit = http.remit_to(bank_url, key_id=rail["key_id"], secret=rail["secret"])
            bound = serve.bind(options["host"], options["port"], keys["base_url"])
        except serve.CannotServe as refused:
            raise CommandError(str(refused)) from None
        inbound = f"{settings.PUBLIC_URL.rstrip('/')}/v1/inbound/channels/{options['channel']}"
        service = channel.create_channel(
            options["book"],
            key_id=keys["key_id"],
            secret=keys["secret"],
            clock=serve.now_utc,
            deliver=http.deliver,
            hang=serve.hang,
            base_url=options["base_url"] or serve.address_of(bound),
            fee_bps=options["fee_bps"],
            remit=remit,
            remit_seconds=options["remit_seconds"],
            remittance_notify_url=options["notify_url"] or inbound,
            refund_seconds=options["refund_seconds"],
        )
        self.stdout.write(f"Sandbox channel: {serve.address_of(bound)}")
        self.stdout.flush()
        serve.serve(service, bound)
