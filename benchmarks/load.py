"""Sends requests over kept-open connections from several processes and times each one."""

import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Make = Callable[[int, int], bytes]  # client, number of the request -> the whole request


@dataclass(frozen=True, slots=True)
class Load:
    per_second: float
    p50_ms: float
    p99_ms: float


def send_load(make: Make, *, port: int, clients: int, seconds: float, expected: int) -> Load:
    """Send requests for some seconds. Returns: the rate and two percentiles.

    Raises: RuntimeError when an answer has another status than `expected`.
    """
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=_send, args=(make, port, number, seconds, expected, results))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    if wrong := [each for each in found if isinstance(each, str)]:
        raise RuntimeError(wrong[0])
    times = sorted(one for each in found for one in each)
    return Load(
        per_second=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // 100] * 1000,
    )


def _send(make: Make, port: int, client: int, seconds: float, expected: int, results: Any) -> None:
    times: list[float] = []
    try:
        with socket.create_connection(("127.0.0.1", port)) as wire:
            reader = wire.makefile("rb")
            begin = time.perf_counter()
            number = 0
            while time.perf_counter() - begin < seconds:
                number += 1
                request = make(client, number)
                start = time.perf_counter()
                wire.sendall(request)
                status, body = _read(reader)
                times.append(time.perf_counter() - start)
                if status != expected:
                    raise RuntimeError(f"answered {status}: {body[:300]!r}")
    except Exception as error:
        results.put(str(error))
    else:
        results.put(times)


def _read(reader: Any) -> tuple[int, bytes]:
    status = int(reader.readline().split()[1])
    length = 0
    while (line := reader.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, reader.read(length)
