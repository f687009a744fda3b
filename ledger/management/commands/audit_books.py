"""`manage.py audit_books`: prove the books, print them, and fail when a rule is broken.

It never writes.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils.module_loading import import_string

from common import money
from ledger import selectors
from ledger.audit import Violation


class Command(BaseCommand):
    help = (
        "Prove that the books are right; exit code 1 names the first wrong row of each broken rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--currency", help="print the totals of this currency only, such as CNY"
        )
        parser.add_argument(
            "--held", action="store_true", help="list every order that still holds money"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object and nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        write: Callable[[str], None] = _silent if options["json"] else self.stdout.write
        currency = options["currency"]
        with _one_snapshot():
            violations = [
                violation
                for check in settings.AUDIT_CHECKS
                for violation in import_string(check)(write=write)
            ]
            trial = [
                line for line in selectors.trial_balance() if currency in (None, line.currency)
            ]
            held = selectors.held_balances(currency=currency)
        if options["json"]:
            self.stdout.write(_as_json(violations, trial, held, list_held=options["held"]))
        else:
            self._print(violations, trial, held, list_held=options["held"])
        if violations:
            first = violations[0]
            raise CommandError(f"The books are wrong: {first.row}. {first.sentence}", returncode=1)

    def _print(
        self,
        violations: list[Violation],
        trial: list[selectors.TrialLine],
        held: list[selectors.HeldBalance],
        *,
        list_held: bool,
    ) -> None:
        for currency, lines in groupby(trial, key=lambda line: line.currency):
            self._print_currency(currency, list(lines))
        for currency, orders in groupby(held, key=lambda line: line.currency):
            listed = list(orders)
            total = sum(line.balance_minor for line in listed)
            noun = "order" if len(listed) == 1 else "orders"
            self.stdout.write(
                f"\nHeld for {len(listed)} {noun}: {_column(total, currency)} {currency}"
            )
            for line in listed if list_held else ():
                self.stdout.write(
                    f"  {line.subject:<48}{_column(line.balance_minor, currency):>24}"
                )
        for violation in violations:
            self.stdout.write(
                f"\nBROKEN: {violation.check}\n  {violation.row}: {violation.sentence}"
            )
        self.stdout.write("" if violations else "\nThe books are right.")

    def _print_currency(self, currency: str, lines: list[selectors.TrialLine]) -> None:
        self.stdout.write(f"\n{currency:<24}{'accounts':>10}{'debit':>24}{'credit':>24}")
        for line in lines:
            debit, credit = (
                _column(line.debit_minor, currency),
                _column(line.credit_minor, currency),
            )
            self.stdout.write(f"{line.account_class:<24}{line.accounts:>10}{debit:>24}{credit:>24}")
        debits = _column(sum(line.debit_minor for line in lines), currency)
        credits = _column(sum(line.credit_minor for line in lines), currency)
        self.stdout.write(f"{'total':<34}{debits:>24}{credits:>24}")
        own_minor = selectors.own_funds_in(lines)
        if own_minor < 0:
            self.stdout.write(
                f"SHORT: own funds lack {_column(-own_minor, currency)} {currency};"
                " customers' money stands in until they are topped up"
            )


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Read everything as of one instant.

    Inside a caller's transaction (a test's), read in that one.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")  # a proof may take its time
        yield


def _as_json(
    violations: list[Violation],
    trial: list[selectors.TrialLine],
    held: list[selectors.HeldBalance],
    *,
    list_held: bool,
) -> str:
    held_minor: dict[str, int] = {}
    for line in held:
        held_minor[line.currency] = held_minor.get(line.currency, 0) + line.balance_minor
    own_funds_minor = {
        currency: selectors.own_funds_in(lines)
        for currency, lines in groupby(trial, key=lambda line: line.currency)
    }
    answer = {
        "ok": not violations,
        "violations": [asdict(violation) for violation in violations],
        "totals": [asdict(line) for line in trial],
        "held_orders": len(held),
        "held_minor": held_minor,
        "own_funds_minor": own_funds_minor,
    }
    if list_held:
        answer["held"] = [asdict(line) for line in held]
    return json.dumps(answer, indent=2)


def _column(amount_minor: int, currency: str) -> str:
    """Write a total, which unlike a Money may pass the limit of a single amount."""
    digits = money.exponent(currency)
    whole, rest = divmod(abs(amount_minor), 10**digits)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole:,}.{rest:0{digits}d}" if digits else f"{sign}{whole:,}"


def _silent(line: str) -> None:
    """Say nothing."""
