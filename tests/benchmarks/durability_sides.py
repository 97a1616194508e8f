"""`python -m tests.benchmarks.durability_sides [--quick]`: prints rates and a latency as JSON.

It runs in turns, against the database of the settings: the drain of a backlog, many callers with
one signal each, a few with many, and one caller alone.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import django

django.setup()

from signals.config import flusher, journal  # noqa: E402  # Django comes first
from signals.tracker import SignalTracker  # noqa: E402
from tests.benchmarks import samples  # noqa: E402
from tests.samples import a_signal  # noqa: E402

QUICK = "--quick" in sys.argv
ROUNDS = 3 if QUICK else 7
DRAINED = 10_000 if QUICK else 50_000
CALLERS, EACH = 64, 10 if QUICK else 40
BATCHERS, BATCH, BATCHES = 8, 100, 3 if QUICK else 10
ALONE = 100 if QUICK else 400
numbers = count(1)


def drain(number: int) -> float:
    """Return the rows a second of a drain by the same flusher, with all stored handlers."""
    samples.fill(journal(), DRAINED, number * DRAINED)
    return rate(DRAINED, lambda: flusher().flush())


def callers(number: int) -> float:
    """Return the signals a second of many callers with one signal each."""
    return rate(CALLERS * EACH, lambda: together(CALLERS, lambda: each_alone(EACH)))


def batches(number: int) -> float:
    """Return the signals a second of a few callers with many signals each."""
    return rate(BATCHERS * BATCH * BATCHES, lambda: together(BATCHERS, in_batches))


def in_batches() -> None:
    for _ in range(BATCHES):
        accept([new() for _ in range(BATCH)])


def each_alone(times: int) -> list[float]:
    """Log signals one after the other; return the seconds of each."""
    return [timed(lambda: accept([new()])) for _ in range(times)]


def accept(signals: list[dict[str, Any]]) -> None:
    receipts = SignalTracker("benchmark").accept(signals)
    assert {each.durability for each in receipts} == {"database"}


def new() -> dict[str, Any]:
    return a_signal(confidence=next(numbers) / 1e8)


def together(number: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rate(rows: int, work: Callable[[], object]) -> float:
    return rows / timed(work)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    sides = {"drain": drain, "callers": callers, "batches": batches}
    found: dict[str, list[float]] = {name: [] for name in sides}
    each_alone(20)  # the first ones connect, and prepare statements
    for number in range(ROUNDS):
        for name, side in sides.items():
            found[name].append(side(number))
            print(f"  round {number + 1}, {name}: {found[name][-1]:,.0f}/s", file=sys.stderr)
    told = {name: statistics.median(values) for name, values in found.items()}
    told["alone"] = statistics.median(each_alone(ALONE))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
