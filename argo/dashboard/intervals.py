"""Intervals of 95%, as `signals.analysis.intervals` has them, without loading its library.

The dashboard is open all day in every web process; scipy would take half a second and 80 MiB.
"""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

FEWEST = 30
"""Cases below which there is no interval."""
_Z = NormalDist().inv_cdf(0.975)


class Between(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


def of_share(successes: int, n: int) -> Between | None:
    """Return Wilson's interval of a share (Wilson, 1927); None for fewer than 30 cases."""
    if n < FEWEST:
        return None
    share, square = successes / n, _Z * _Z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _Z * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return Between(max(0.0, centre - half), min(1.0, centre + half))


def of_mean(mean: float, deviation: float, n: int) -> Between | None:
    """Return the normal interval of a mean of n cases; None for fewer than 30 of them."""
    if n < FEWEST:
        return None
    half = _Z * deviation / sqrt(n)
    return Between(mean - half, mean + half)
