"""Runs what is compared in turns, so that a slow moment of the machine hits all sides."""

import statistics
import time
from collections.abc import Callable, Mapping

from tests.benchmarks.workspace import say

Side = Callable[[int], float]
"""One round of one side: given the round's number, from 0, it answers a rate or a cost."""


def medians(rounds: int, sides: Mapping[str, Side]) -> dict[str, float]:
    """The median of each side's rounds."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            found[name].append(side(number))
            say(f"  round {number + 1} of {rounds}, {name}: {found[name][-1]:,.4g}")
    return {name: statistics.median(values) for name, values in found.items()}


def seconds(*works: Callable[[], object]) -> float:
    """How long these take, one after the other."""
    began = time.perf_counter()
    for work in works:
        work()
    return time.perf_counter() - began
