"""How sure a figure is: Wilson's interval for shares, a normal one for means, and the bootstrap."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from signals.analysis.figure import Interval

LEVEL = 0.95
FEWEST = 30
"""Cases below which a group gets no interval."""
RESAMPLES = 1000
MOST_RESAMPLED = 10_000
"""The last closed signals that are resampled, if there are more."""
MOST_UNDEFINED = 0.05
"""Share of resamples without a value up to which there still is an interval."""
CHUNK = 100

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def of_share(successes: int, n: int) -> Interval | None:
    """Return Wilson's interval of a share (Wilson, 1927); None for fewer than 30 cases."""
    if n < FEWEST:
        return None
    found = binomtest(successes, n).proportion_ci(LEVEL, method="wilson")
    return Interval(float(found.low), float(found.high), LEVEL, "Wilson")


def of_mean(values: Floats) -> Interval | None:
    """Return the normal interval of the mean of what is known; None for fewer than 30 values."""
    known = values[~np.isnan(values)]
    if known.size < FEWEST:
        return None
    centre = float(known.mean())
    half = float(norm.ppf((1 + LEVEL) / 2) * known.std(ddof=1) / math.sqrt(known.size))
    return Interval(centre - half, centre + half, LEVEL, "normal")


class Resamples:
    """Resamples of a series in order of time, the same for all figures.

    The stationary bootstrap (Politis and Romano, 1994) takes blocks of random length, so that
    values near in time stay together. The mean length is chosen by Politis and White (2004).
    """

    def __init__(self, series: Floats, *, seed: int = 0) -> None:
        from arch.bootstrap import StationaryBootstrap  # heavy; only needed here

        self.block = _block_length(series)
        self._bootstrap: Any = StationaryBootstrap(self.block, np.arange(series.size), seed=seed)
        self._kept: list[Indices] = []

    def __iter__(self) -> Iterator[Indices]:
        """Yield 1,000 resamples as arrays of indices, 100 rows at a time."""
        if not self._kept:
            rows = [
                np.asarray(positional[0], dtype=np.int64)
                for positional, _ in self._bootstrap.bootstrap(RESAMPLES)
            ]
            self._kept = [np.stack(rows[at : at + CHUNK]) for at in range(0, RESAMPLES, CHUNK)]
        return iter(self._kept)

    def interval(self, values: Floats) -> Interval | None:
        """Return the interval of a figure, given its value in each resample; NaN is undefined."""
        known = values[~np.isnan(values)]
        if known.size < (1 - MOST_UNDEFINED) * values.size:
            return None
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        method = f"stationary bootstrap, {values.size:,} resamples, mean block {self.block}"
        return Interval(float(low), float(high), LEVEL, method)


def _block_length(series: Floats) -> int:
    from arch.bootstrap import optimal_block_length

    known = np.nan_to_num(series)
    if known.size < 10 or np.ptp(known) == 0:
        return 1
    found = float(optimal_block_length(known)["stationary"].iloc[0])
    return int(np.clip(round(found), 1, known.size // 2)) if math.isfinite(found) else 1
