"""`make crash`: kill the program at every point of every flow, with both kinds of bank, and again
while it recovers.

    python -m tests.faults.crash [--flows NAME …] [--points N] [--pairs 200] [--seed N]

Each worker has a database of its own. The last line is a summary; the exit code is 1 when a point
did not kill or anything is broken.
"""

import argparse
import logging
import multiprocessing
import os
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

import django

from settlement_site import embedded

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tests.faults.strike import open_stage  # noqa: E402
from tests.flows.scenarios import BY_NAME, FLOWS  # noqa: E402

TEMPLATE = "holdfast_crash"
BANKS = {False: "remembers", True: "forgets"}
SHOWN = 3  # broken points told in full, per flow
Progress = Any  # a queue of (unit, points done, points in all, report or None)


@dataclass
class Report:
    """What became of one flow with one bank. `samples` tells the first broken ones in full."""

    points: int = 0
    killed: int = 0
    recovered: int = 0  # the others left behind what one of these left
    broken: int = 0
    pairs: int = 0
    killed_twice: int = 0  # the others had recovered before their second point came
    pairs_broken: int = 0
    seconds: float = 0.0
    samples: tuple[str, ...] = ()

    def tell(self, where: str, broken: list[str]) -> None:
        if len(self.samples) < SHOWN:
            self.samples += ("\n      ".join([where, *broken[:8]]),)


@dataclass(frozen=True)
class Unit:
    flow: str
    forgetful: bool

    def __str__(self) -> str:
        return f"{self.flow}, bank {BANKS[self.forgetful]}"


def main() -> int:
    options = _options()
    embedded.exit_on_termination()
    embedded.start()
    units = [Unit(name, forgetful) for name in options.flows for forgetful in BANKS]
    print(f"seed {options.seed}, {len(units)} flows × banks, {options.workers} workers", flush=True)
    began = time.monotonic()
    with databases(options.workers) as names:
        reports = _run(units, names, options)
    return _summary(reports, units, time.monotonic() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crash")
    parser.add_argument(
        "--flows", nargs="+", choices=BY_NAME, default=[flow.name for flow in FLOWS]
    )
    parser.add_argument("--points", type=int, help="sample so many points per flow and bank")
    parser.add_argument("--pairs", type=int, default=200, help="crashes during recovery, in all")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args()


@contextmanager
def databases(count: int, *, template: str = TEMPLATE) -> Iterator[list[str]]:
    """One migrated database per worker; nobody else's is touched."""
    home = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            raise SystemExit("The database user of DATABASE_URL must be a superuser.")
    names = [f"{template}_{number}" for number in range(count)]
    connection.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=off -c jit=off"
    try:
        _sql(*(f'DROP DATABASE IF EXISTS "{name}"' for name in [*names, template]))
        _sql(f'CREATE DATABASE "{template}"')
        use(template)
        call_command("migrate", verbosity=0)
        use(home)
        _sql(*(f'CREATE DATABASE "{name}" TEMPLATE "{template}"' for name in names))
        connection.close()
        yield names
    finally:
        use(home)
        _sql(*(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' for name in [*names, template]))
        connection.close()


def use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _run(units: list[Unit], names: list[str], options: argparse.Namespace) -> dict[Unit, Report]:
    """Let the workers take unit after unit; print each report as it comes."""
    fork = multiprocessing.get_context(
        "fork"
    )  # warm: everything is imported, no connection is open
    work, said = fork.SimpleQueue(), fork.SimpleQueue()
    for unit in [*units, *[None] * len(names)]:
        work.put(unit)
    workers = [
        fork.Process(target=_work, args=(name, work, said, options), daemon=True) for name in names
    ]
    for worker in workers:
        worker.start()
    reports: dict[Unit, Report] = {}
    standing: dict[Unit, tuple[int, int]] = {}
    while len(reports) < len(units):
        if not said._reader.poll(1):
            if not any(worker.is_alive() for worker in workers):
                break  # the summary tells what is missing
            continue
        unit, done, points, report = said.get()
        standing[unit] = (done, points)
        if report is not None:
            reports[unit] = report
            standing.pop(unit)
            _print_report(unit, report)
        elif sys.stdout.isatty():
            print("\r" + "; ".join(f"{u}: {d}/{p}" for u, (d, p) in standing.items()), end="\033[K")
    for worker in workers:
        worker.join()
    return reports


def _work(name: str, work: Any, said: Progress, options: argparse.Namespace) -> None:
    logging.disable(logging.CRITICAL)  # a sweep that meets a crash's remains logs, as it should
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # the parent tidies up
    use(name)
    share = -(-options.pairs // (len(options.flows) * len(BANKS)))
    while (unit := work.get()) is not None:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            report = _strike_all(unit, Path(folder), said, options, share)
        said.put((unit, 0, 0, report))
    connection.close()


def _memory() -> str | None:
    """Where the sandbox books lie: in memory when there is such a place, they are thrown away
    anyway.
    """
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _strike_all(
    unit: Unit, folder: Path, said: Progress, options: argparse.Namespace, pairs: int
) -> Report:
    dice = Random(f"{options.seed} {unit}")
    began, report = time.monotonic(), Report()
    with open_stage(BY_NAME[unit.flow], folder, forgetful=unit.forgetful) as stage:
        if stage.troubles:
            report.broken += 1
            report.tell("not crashed at all", stage.troubles)
            return report
        points = stage.points
        if options.points is not None:
            points = sorted(dice.sample(points, min(options.points, len(points))))
        for done, point in enumerate(points):
            verdict = stage.strike(point, dice)
            report.points += 1
            report.killed += verdict.killed
            report.recovered += not verdict.known
            if verdict.broken:
                report.broken += 1
                report.tell(verdict.where, verdict.broken)
            if done % 10 == 0:
                said.put((unit, done, len(points), None))
        for point in dice.sample(stage.points, min(pairs, len(stage.points))):
            verdict = stage.strike_twice(point, dice)
            report.pairs += 1
            report.killed_twice += verdict.twice
            if verdict.broken:
                report.pairs_broken += 1
                report.tell(verdict.where, verdict.broken)
    report.seconds = time.monotonic() - began
    return report


def _print_report(unit: Unit, report: Report) -> None:
    start = "\r\033[K" if sys.stdout.isatty() else ""
    print(
        f"{start}{unit!s:<42} points {report.points:>3}, killed {report.killed:>3},"
        f" recovered {report.recovered:>3}, broken {report.broken:>2};"
        f" pairs {report.pairs:>2}, killed twice {report.killed_twice:>2},"
        f" broken {report.pairs_broken:>2}; {report.seconds:6.1f} s",
        flush=True,
    )
    for sample in report.samples:
        print(f"    {sample}", flush=True)


def _summary(reports: dict[Unit, Report], units: list[Unit], seconds: float) -> int:
    total = Counter[str]()
    for report in reports.values():
        total.update(points=report.points, killed=report.killed, broken=report.broken)
        total.update(pairs=report.pairs, pairs_broken=report.pairs_broken)
    missing = len(units) - len(reports)
    passed = (
        not (total["broken"] or total["pairs_broken"] or missing)
        and total["points"] == total["killed"]
    )
    print(
        f"crash: {total['points']} points, {total['killed']} killed, {total['broken']} broken;"
        f" {total['pairs']} pairs, {total['pairs_broken']} broken; {missing} flows missing;"
        f" {seconds:.0f} s: {'passed' if passed and total['points'] else 'FAILED'}"
    )
    return 0 if passed and total["points"] else 1


if __name__ == "__main__":
    sys.exit(main())
