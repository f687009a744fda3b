"""`python -m tests.races`: every pair RACE_REPEATS times (200), with the locks on and off, as a
table.

Exits 1 when a pair was broken with its locks on, or held too often without them.
"""

import logging
import os
import sys
import time

import django


def main() -> int:
    """Make a database of our own, race, say what came of it. Returns: the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")
    from settlement_site import embedded

    embedded.start()
    django.setup()
    from django.test import utils

    logging.getLogger().handlers = [logging.NullHandler()]  # the table says what went wrong
    config = utils.setup_databases(verbosity=0, interactive=False)
    try:
        return _race_all()
    finally:
        utils.teardown_databases(config, verbosity=0)


def _race_all() -> int:
    from tests.races import runs, starting_line

    count, missed = runs.repeats(200), 0
    print(f"{starting_line.CONNECTIONS} connections, {count} repeats; in percent: how many broke")
    print(f"{'pair':<52} {'locks on':>9} {'locks off':>9} {'seconds':>8}")
    racers = starting_line.Racers()
    try:
        for pair in runs.PAIRS:
            began = time.monotonic()
            held = runs.race(pair, racers, count=count, locks=True)
            open_ = runs.race(pair, racers, count=count, locks=False)
            missed += bool(held.broken) + (open_.broken_percent < runs.TWIN_PERCENT)
            spent = time.monotonic() - began
            print(
                f"{pair.name:<52} {held.broken_percent:>8.1f}% "
                f"{open_.broken_percent:>8.1f}% {spent:>8.1f}",
                flush=True,
            )
            for complaint in held.complaints[:3]:
                print(f"    {complaint}")
    finally:
        racers.close()
    goal = "reached" if not missed else f"missed {missed} times"
    print(
        f"races: {len(runs.PAIRS)} pairs, goal "
        f"(0 % with locks, >= {runs.TWIN_PERCENT} % without) {goal}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
