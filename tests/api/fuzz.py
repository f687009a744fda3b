"""`make fuzz-api`: send the API whatever its description allows, and what it does not.

    python -m tests.api.fuzz [--examples N] [--seconds N] [--seed N] [--phases NAME …]

The last line is a summary; the exit code is 1 when anything was found.
"""

import argparse
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

import django

from settlement_site import embedded

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tests.api import fuzzing  # noqa: E402
from tests.api.fuzz_market import open_market  # noqa: E402

DATABASE = "holdfast_fuzz"


def main() -> int:
    options = _options()
    logging.disable(logging.CRITICAL)
    embedded.exit_on_termination()
    embedded.start()
    print(f"seed {options.seed}", flush=True)
    findings = fuzzing.Findings(write=lambda line: print(line, flush=True))
    with _database():
        for phase in options.phases:
            with tempfile.TemporaryDirectory() as folder, open_market(Path(folder)) as market:
                fuzzing.campaign(
                    market,
                    findings,
                    phase=phase,
                    seed=options.seed,
                    # A way along the links takes few steps, and there are very many ways.
                    examples=options.examples * (10 if phase == "stateful" else 1),
                    seconds=options.seconds,
                )
    if findings.never_accepted:
        print(f"never accepted: {', '.join(findings.never_accepted)}")
    passed = findings.ended and findings.operations and not findings.found
    print(f"fuzz-api: {findings.summary()}: {'passed' if passed else 'FAILED'}")
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.api.fuzz")
    parser.add_argument("--examples", type=int, default=50, help="per operation")
    parser.add_argument("--seconds", type=int, help="stop each phase after about so many")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--phases", nargs="+", choices=fuzzing.PHASES, default=fuzzing.PHASES)
    return parser.parse_args()


@contextmanager
def _database() -> Iterator[None]:
    """A migrated database of its own; nobody else's is touched."""
    home = connection.settings_dict["NAME"]
    connection.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=off"
    drop = f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)'
    try:
        _sql(drop, f'CREATE DATABASE "{DATABASE}"')
        _use(DATABASE)
        call_command("migrate", verbosity=0)
        yield
    finally:
        _use(home)
        _sql(drop)
        connection.close()


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


if __name__ == "__main__":
    sys.exit(main())
