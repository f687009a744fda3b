"""`make lives`: random lives of sales against the oracle.

    python -m tests.lives [--lives 10000] [--seed N] [--workers 2] [--only BATCH]

Each worker has a database of its own. The last line is a summary; the exit code is 1 when a life
went wrong. `--only` lives one batch again and tells its steps when it goes wrong.
"""

import argparse
import logging
import multiprocessing
import os
import secrets
import signal
import sys
import time
from collections import Counter
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

import django

from settlement_site import embedded

django.setup()

from django.db import connection  # noqa: E402

from tests.faults.crash import databases, use  # noqa: E402
from tests.lives import batch  # noqa: E402

TEMPLATE = "holdfast_lives"
TOLD = 3  # batches that went wrong told in full


def main() -> int:
    options = _options()
    embedded.exit_on_termination()
    embedded.start()
    batches = -(-options.lives // batch.LIVES)
    numbers = list(range(batches)) if options.only is None else [options.only]
    print(f"seed {options.seed}, {len(numbers)} batches of {batch.LIVES} lives", flush=True)
    began = time.monotonic()
    with databases(min(options.workers, len(numbers)), template=TEMPLATE) as names:
        lives, steps, wrong, missing, happened = _run(numbers, names, options.seed)
    print("\n".join(f"{count:>8}  {what}" for what, count in sorted(happened.items())))
    passed = not wrong and not missing
    print(
        f"lives: seed {options.seed}, {lives} lives, {steps} steps, {wrong} batches wrong,"
        f" {missing} missing; {time.monotonic() - began:.0f} s: {'passed' if passed else 'FAILED'}"
    )
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lives")
    parser.add_argument("--lives", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", type=int, help="live this batch alone")
    return parser.parse_args()


def _run(
    numbers: list[int], names: list[str], seed: int
) -> tuple[int, int, int, int, Counter[str]]:
    """Let the workers take batch after batch; show how far they are."""
    fork = multiprocessing.get_context("fork")  # warm: imported, and no connection is open
    work, said = fork.SimpleQueue(), fork.SimpleQueue()
    for number in [*numbers, *[None] * len(names)]:
        work.put(number)
    workers = [fork.Process(target=_work, args=(name, work, said, seed)) for name in names]
    for worker in workers:
        worker.daemon = True
        worker.start()
    lives = steps = wrong = done = 0
    happened: Counter[str] = Counter()
    while done < len(numbers):
        if not said._reader.poll(1):
            if not any(worker.is_alive() for worker in workers):
                break
            continue
        number, outcome = said.get()
        done, lives, steps = done + 1, lives + outcome.lives, steps + len(outcome.steps)
        happened += outcome.happened
        if outcome.error:
            wrong += 1
            if wrong <= TOLD:
                print(f"\n{outcome.error}", flush=True)
        if done % 20 == 0 or sys.stdout.isatty():
            print(f"{lives} lives, {steps} steps, {wrong} batches wrong", flush=True)
    for worker in workers:
        worker.join()
    return lives, steps, wrong, len(numbers) - done, happened


def _work(name: str, work: Any, said: Any, seed: int) -> None:
    logging.disable(logging.CRITICAL)  # a sweep that meets what it must refuse logs, as it should
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # the parent tidies up
    use(name)
    while (number := work.get()) is not None:
        outcome = batch.live(f"{seed} {number}")
        if outcome.error:
            outcome.error = batch.tell(seed, number, outcome)
        said.put((number, outcome))
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
