"""Means of results that come in time, with intervals that know of their dependence.

Trades that begin at the same moment, or soon after each other, share the bars that decide them. A
normal interval would take them for independent, and be too narrow. So results are summed by moment,
and whole moments are resampled in blocks of time.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from signals.analysis.figure import Interval
from signals.analysis.intervals import FEWEST, MOST_RESAMPLED, Resamples

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Moments:
    """Results of groups, summed by moment; arrays of shape (groups, moments), in order of time.

    Attributes:
        count: how many known results a group has at each moment.
        total: their sum.
    """

    count: Floats
    total: Floats

    @classmethod
    def of(cls, times: Times, results: Floats, groups: Mask) -> Self:
        """Sum up results of shape (n,), NaN if unknown; `groups` of shape (k, n) says whose."""
        known = ~(np.isnan(results) | np.isnat(times))
        distinct, place = np.unique(times[known], return_inverse=True)
        counts = [np.bincount(place[mask], minlength=distinct.size) for mask in groups[:, known]]
        totals = [
            np.bincount(place[mask], results[known][mask], distinct.size)
            for mask in groups[:, known]
        ]
        shape = len(groups), distinct.size
        return cls(np.reshape(counts, shape).astype(float), np.reshape(totals, shape))

    def size(self, group: int) -> int:
        """Return how many known results a group has."""
        return int(self.count[group].sum())

    def mean(self, group: int) -> float:
        """Return the mean result of a group; NaN if it has none."""
        size = self.size(group)
        return float(self.total[group].sum() / size) if size else np.nan

    def interval(self, group: int, less: int | None = None, *, seed: int = 0) -> Interval | None:
        """Return the interval of a group's mean, or of its mean less that of the group `less`.

        Both means are taken of the same resamples, so that what they share does not blur their
        difference. None if a group has fewer than 30 known results. At most the last 10,000
        moments are resampled.
        """
        groups = [group] if less is None else [group, less]
        if min(map(self.size, groups)) < FEWEST:
            return None
        signs = (1.0, -1.0)[: len(groups)]
        effect = sum(sign * self._influence(each) for sign, each in zip(signs, groups, strict=True))
        resamples = Resamples(np.asarray(effect)[-MOST_RESAMPLED:], seed=seed)
        values = [
            sum(sign * self._means(each, rows) for sign, each in zip(signs, groups, strict=True))
            for rows in resamples
        ]
        return resamples.interval(np.concatenate(values))

    def _influence(self, group: int) -> Floats:
        """Return how far each moment moves the mean of a group (to first order)."""
        off = self.total[group] - self.mean(group) * self.count[group]
        return np.asarray(off / self.size(group))

    def _means(self, group: int, rows: NDArray[np.int64]) -> Floats:
        """Return the mean of a group in each resample; NaN if a resample has none of it."""
        count = self.count[group][-MOST_RESAMPLED:][rows].sum(axis=1)
        total = self.total[group][-MOST_RESAMPLED:][rows].sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / np.where(count > 0, count, np.nan))
