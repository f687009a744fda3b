"""Runs a piece of work in several processes at once for some seconds and counts."""

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from typing import Any

WARM_UP = 50  # units per client before the clock starts: both sides have their plans by then

Work = Callable[[int], Iterator[None]]  # client number -> an iterator that does one unit per step


def count_per_second(work: Work, *, clients: int, seconds: float) -> float:
    """Run `work` in `clients` forked processes. Returns: units per second over all clients."""
    context = multiprocessing.get_context("fork")
    barrier, counts = context.Barrier(clients), context.Array("d", clients * 2)
    processes = [
        context.Process(target=_run, args=(work, number, barrier, counts, seconds))
        for number in range(clients)
    ]
    gc.freeze()  # as preloading web servers do; else each client's collector copies this process
    for process in processes:
        process.start()
    gc.unfreeze()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a client ended with exit code {process.exitcode}")
    units = sum(counts[number] for number in range(clients))
    return float(units / max(counts[clients + number] for number in range(clients)))


def _run(work: Work, number: int, barrier: Barrier, counts: Any, seconds: float) -> None:
    steps = work(number)
    for _ in range(WARM_UP):
        next(steps)
    barrier.wait()
    start = time.perf_counter()
    done = 0
    for _ in steps:
        done += 1
        if time.perf_counter() - start >= seconds:
            break
    else:
        raise RuntimeError(f"client {number} ran out of work after {done} units")
    counts[number] = done
    counts[len(counts) // 2 + number] = time.perf_counter() - start
