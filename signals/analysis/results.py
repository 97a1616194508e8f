"""The results of closed signals as arrays, and the measures that are computed from them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Results:
    """Closed signals in the order of closing; of shape (n,), or (k, n) for k resamples.

    Attributes:
        is_win: 1.0 if the outcome is win, otherwise 0.0.
        profit_pct: profit or loss in percent of the entry price; NaN if it is not known.
        risk_pct: distance from entry to stop in percent of the entry price; NaN without a stop.
    """

    is_win: Floats
    profit_pct: Floats
    risk_pct: Floats

    @property
    def count(self) -> int:
        """Return n."""
        return int(self.is_win.shape[-1])

    @cached_property
    def r(self) -> Floats:
        """Return each result as a multiple of its signal's own risk; NaN if one is not known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            multiples = self.profit_pct / self.risk_pct
        return np.where(self.risk_pct > 0, multiples, np.nan)

    def take(self, indices: NDArray[np.int64]) -> Self:
        """Return the signals at these indices, of shape (k, n)."""
        return replace(
            self, **{each.name: getattr(self, each.name)[indices] for each in fields(self)}
        )


def _sum(values: Floats) -> Floats:
    return np.asarray(np.nansum(values, axis=-1))


def _count(values: Floats) -> Floats:
    return np.asarray((~np.isnan(values)).sum(axis=-1), dtype=float)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return the quotient; NaN if `below` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below != 0, above / below, np.nan))


def mean(values: Floats) -> Floats:
    """Return the mean of what is known along the last axis; NaN if nothing is."""
    return _ratio(_sum(values), _count(values))


def deviation(values: Floats) -> Floats:
    """Return the standard deviation (n - 1) of what is known; NaN if fewer than two values are."""
    centred = values - mean(values)[..., None]
    return np.sqrt(_ratio(_sum(centred**2), np.maximum(_count(values) - 1, 0)))


def gains(results: Results) -> Floats:
    """Return the results above 0; NaN for the others."""
    return np.where(results.profit_pct > 0, results.profit_pct, np.nan)


def losses(results: Results) -> Floats:
    """Return the results below 0; NaN for the others."""
    return np.where(results.profit_pct < 0, results.profit_pct, np.nan)


def profit_factor(results: Results) -> Floats:
    """Return the sum of gains / the sum of losses; NaN without a loss."""
    return _ratio(_sum(gains(results)), -_sum(losses(results)))


def payoff_ratio(results: Results) -> Floats:
    """Return the average gain / the average loss; NaN without one of them."""
    return _ratio(mean(gains(results)), -mean(losses(results)))


def sqn(results: Results) -> Floats:
    """Return the system quality number; NaN if R does not vary."""
    spread = deviation(results.r)
    tiny = np.abs(mean(results.r)) * 1e-12  # rounding alone
    return np.sqrt(_count(results.r)) * _ratio(
        mean(results.r), np.where(spread > tiny, spread, 0.0)
    )


Measure = Callable[[Results], Floats]

MEASURES: MappingProxyType[str, tuple[Callable[[Results], Floats], Measure]] = MappingProxyType({
    "win_rate": (lambda results: results.is_win, lambda results: mean(results.is_win)),
    "average_pct": (lambda results: results.profit_pct, lambda results: mean(results.profit_pct)),
    "expectancy_pct": (
        lambda results: results.profit_pct, lambda results: mean(results.profit_pct),
    ),
    "average_win_pct": (gains, lambda results: mean(gains(results))),
    "average_loss_pct": (losses, lambda results: mean(losses(results))),
    "expectancy_r": (lambda results: results.r, lambda results: mean(results.r)),
    "profit_factor": (lambda results: results.profit_pct, profit_factor),
    "payoff_ratio": (lambda results: results.profit_pct, payoff_ratio),
    "sqn": (lambda results: results.r, sqn),
})  # fmt: skip
"""For each figure with an interval: the values that it counts, and how it is computed."""
