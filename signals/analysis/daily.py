"""The daily Sharpe ratio of trades, so that what was tried can be compared.

Each trade's result counts on the day on which it ended; the days between count as 0. All trades
have the same money, and nothing is reinvested: the ratio does not depend on how much it is.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
TINY = 1e-12
"""A standard deviation below this share of the mean comes from rounding alone."""


def daily_sharpe(ended: Times, results: Floats, days: Times) -> float:
    """Return mean / standard deviation (n - 1) of the daily results, not annualised.

    `ended` is when each trade ended, `results` what each made, in any one unit. `days` are the
    trading days in order, from the first signal on; those after the last end do not count. NaN if
    fewer than two days count, or if all have the same result.
    """
    if not ended.size:
        return math.nan
    last = ended.astype("datetime64[D]")
    counted = days[days <= last.max()]
    if counted.size < 2:
        return math.nan
    daily = np.zeros(counted.size)
    np.add.at(daily, np.minimum(np.searchsorted(counted, last), counted.size - 1), results)
    mean, spread = float(daily.mean()), float(daily.std(ddof=1))
    return mean / spread if spread > TINY * (1 + abs(mean)) else math.nan
