"""Drawdowns of an equity: how deep, how long, and whether it recovered."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]


class Drawdown(NamedTuple):
    """A fall from a peak. `depth` is a share, negative; `recovered` is None if it has not."""

    peak: np.datetime64
    trough: np.datetime64
    recovered: np.datetime64 | None
    depth: float
    days: int
    """Calendar days from the peak to the recovery, or to the last day."""


def depths(equity: Floats) -> Floats:
    """Return how far each day lies below the highest equity so far; shares, 0 or negative.

    `equity` has shape (..., n) and must be above 0.
    """
    return np.asarray(equity / np.maximum.accumulate(equity, axis=-1) - 1)


def drawdowns(equity: Floats, days: Days) -> list[Drawdown]:
    """Return every drawdown, deepest first. `equity` and `days` have shape (n,)."""
    depth = depths(equity)
    is_below = np.concatenate([[False], depth < 0, [False]])
    begins = np.flatnonzero(~is_below[:-1] & is_below[1:])
    ends = np.flatnonzero(is_below[:-1] & ~is_below[1:])
    found = [_drawdown(depth, days, int(a), int(b)) for a, b in zip(begins, ends, strict=True)]
    return sorted(found, key=lambda each: each.depth)


def _drawdown(depth: Floats, days: Days, begin: int, end: int) -> Drawdown:
    """Return the drawdown of the days from `begin` until before `end`; `begin` is never 0."""
    trough = begin + int(depth[begin:end].argmin())
    is_over = end < depth.size
    last = days[end] if is_over else days[-1]
    peak = days[begin - 1]
    length = int((last - peak) / np.timedelta64(1, "D"))
    return Drawdown(
        peak, days[trough], days[end] if is_over else None, float(depth[trough]), length
    )
