"""`manage.py replay DIR`: live a real history through on a simulated clock, and report what came of
it.

It must never import half of a broken history without being told to, nor run beside a worker.
"""

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pghistory
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from common import ids
from common.errors import DomainError
from common.money import BPS, exponent
from demo.local_sandbox import Clock, open_sandbox
from demo.replay import guard, plan, reader, report, run
from ledger.audit import Violation


class Command(BaseCommand):
    help = "Live the history in DIR through on a simulated clock, into a platform of its own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "directory",
            metavar="DIR",
            type=Path,
            help="of orders.csv, order_items.csv, sellers.csv",
        )
        parser.add_argument("--currency", default="BRL", help="of all amounts, such as BRL")
        parser.add_argument(
            "--commission-bps", type=int, default=1000, help="of the goods, to the platform"
        )
        parser.add_argument(
            "--service-fee-bps", type=int, default=60, help="of the whole amount, to us"
        )
        parser.add_argument(
            "--dispute-late",
            action="store_true",
            help="buyers dispute what was delivered after its estimated date and get 20 %% back",
        )
        parser.add_argument(
            "--report", metavar="FILE", type=Path, help="write the report there as well"
        )
        parser.add_argument(
            "--skip-bad", action="store_true", help="report broken rows and go on without them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """End with 0 when all was settled, paid out and proven; else with 1 and a sentence."""
        terms = _terms(options)
        carts = [plan.plan_cart(order) for order in self._read(options, terms).orders]
        _require_writable(options["report"])
        _require_schema()
        try:
            with guard.alone(until=plan.ends_before(carts)):
                result, violations = self._replay(
                    carts, terms, dispute_late=options["dispute_late"]
                )
        except (guard.NotAlone, run.ReplayStuck) as fault:
            raise CommandError(str(fault)) from None
        except KeyboardInterrupt:
            self.stderr.write(
                "Interrupted. What was lived so far stays in the books; the next replay settles it."
            )
            sys.exit(130)
        self._publish(result, violations, options["report"])

    def _read(self, options: dict[str, Any], terms: run.Terms) -> reader.History:
        try:
            history = reader.read_history(options["directory"], exponent=exponent(terms.currency))
        except reader.HistoryUnreadable as fault:
            raise CommandError(f"{fault} Nothing was imported.") from None
        for broken in history.broken:
            self.stderr.write(str(broken))
        if history.broken and not options["skip_bad"]:
            raise CommandError(
                f"{_rows(history.broken)} broken. Nothing was imported; "
                "repair them or skip them with --skip-bad."
            )
        if history.broken:
            self.stderr.write(f"{_rows(history.broken)} broken and skipped.")
        if not history.orders:
            raise CommandError("There is no order to replay. Nothing was imported.")
        return history

    def _replay(
        self, carts: list[plan.Cart], terms: run.Terms, *, dispute_late: bool
    ) -> tuple[dict[str, Any], list[Violation]]:
        began = time.perf_counter()
        slug = ids.new_id("replay").replace("_", "-")
        starts_at = min(cart.created_at for cart in carts)
        before = report.read_position(terms.currency)
        with (
            tempfile.TemporaryDirectory(prefix="holdfast-replay-") as directory,
            open_sandbox(Path(directory), clock=Clock(starts_at)) as sandbox,
            pghistory.context(actor="replay", reason=slug),
            _progress() as progress,
        ):
            if before.in_reserve_minor > 0:  # the bank is new, the account it keeps for us is not
                sandbox.bank.deposit(
                    reference=slug, amount_minor=before.in_reserve_minor, currency=terms.currency
                )
            task = progress.add_task("Sellers", total=len(plan.list_steps(carts)))
            platform, sellers = run.create_marketplace(
                name=f"Replay {slug[-6:]}", slug=slug, carts=carts, terms=terms, at=starts_at
            )
            progress.update(task, description="Orders")
            replay = run.Replay(
                sandbox,
                platform,
                sellers,
                carts,
                advance=lambda: progress.advance(task),
                dispute_late=dispute_late,
            )
            replay.live()
            seconds = time.perf_counter() - began
            progress.update(task, description="Audit")
            violations = report.audit(platform, sandbox, before=before, write=lambda _line: None)
            result = report.make_report(
                platform,
                sandbox,
                late_shipments_refused=replay.late_shipments_refused,
                seconds=seconds,
                audit_ok=not violations,
            )
        return result, violations

    def _publish(
        self, result: dict[str, Any], violations: list[Violation], file: Path | None
    ) -> None:
        text = json.dumps(result, indent=2)
        self.stdout.write(text)
        if file is not None:
            file.write_text(text + "\n", encoding="utf-8")
        for violation in violations:
            self.stderr.write(f"{violation.check}: {violation.row}: {violation.sentence}")
        if violations:
            raise CommandError("The books are wrong after this replay, see above.")
        if result["held_minor"]:
            raise CommandError(f"{result['held_minor']} minor units are still held.")


def _terms(options: dict[str, Any]) -> run.Terms:
    for name in ("commission_bps", "service_fee_bps"):
        if not 0 <= options[name] <= BPS:
            raise CommandError(f"--{name.replace('_', '-')} is 0 to {BPS} basis points.")
    try:
        exponent(options["currency"])
    except DomainError as refusal:
        raise CommandError(refusal.sentence) from None
    return run.Terms(options["currency"], options["commission_bps"], options["service_fee_bps"])


def _rows(broken: list[reader.Broken]) -> str:
    return "1 row is" if len(broken) == 1 else f"{len(broken)} rows are"


def _require_writable(file: Path | None) -> None:
    """Find out before the work, not after it, that the report has no place to go to."""
    if file is not None and (
        file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)
    ):
        raise CommandError(f"The report cannot be written to {file}.")


def _require_schema() -> None:
    """Bring our own database to the current schema; a database somebody gave us is not ours to
    change.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        if not settings.EMBEDDED:
            raise CommandError(
                "The database is not at the current schema; run `manage.py migrate` first."
            )
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), refresh_per_second=4)
