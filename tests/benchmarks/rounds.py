"""Runs the sides of a comparison in turns, so that a slow moment of the machine affects all."""

import statistics
import time
from collections.abc import Callable, Mapping

from tests.benchmarks.workspace import say

Side = Callable[[int], float]
"""One round of one side: it gets the round's number, from 0, and returns a rate or a cost."""


def medians(rounds: int, sides: Mapping[str, Side]) -> dict[str, float]:
    """Return the median of each side's rounds."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            found[name].append(side(number))
            say(f"  round {number + 1} of {rounds}, {name}: {found[name][-1]:,.4g}")
    return {name: statistics.median(values) for name, values in found.items()}


def seconds(*works: Callable[[], object]) -> float:
    """Return the seconds that these calls take, one after the other."""
    began = time.perf_counter()
    for work in works:
        work()
    return time.perf_counter() - began


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of a call: the machine may have other work."""
    began = time.process_time()
    work()
    return time.process_time() - began
