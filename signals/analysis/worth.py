"""What a group of trades is worth, and how much better one group is than another."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from signals.analysis.figure import Figure, figure, undefined
from signals.analysis.intervals import FEWEST
from signals.analysis.moments import Floats, Mask, Moments, Times

SAME = "without it the pipeline makes the same signals"


@dataclass(frozen=True, eq=False)
class Worth:
    """Trades, and the groups that they belong to; a trade may be in several.

    Attributes:
        times: when each trade was proposed; shape (n,).
        results: in percent of the entry price; NaN if the trade has not ended; shape (n,).
        groups: the trades of each group by its name; shape (n,).
        seed: of the resamples.
    """

    times: Times
    results: Floats
    groups: Mapping[str, Mask]
    seed: int = 0

    def mean(self, name: str, group: str) -> Figure:
        """Return the mean result of a group as the figure `name`; with an interval from 30 on."""
        place, moments = self._place[group], self._moments
        span = moments.interval(place, seed=self.seed)
        return figure(name, moments.mean(place), moments.size(place), interval=span)

    def gain(self, name: str, group: str, other: str) -> Figure:
        """Return how much better a group is than another, as the figure `name`.

        It counts the trades that only one of the two has; with an interval from 30 on.
        """
        changed = self.groups[group] ^ self.groups[other]
        n = int((changed & ~np.isnan(self.results)).sum())
        if not changed.any():
            return undefined(name, 0, SAME)
        places, moments = (self._place[group], self._place[other]), self._moments
        value = moments.mean(places[0]) - moments.mean(places[1])
        span = moments.interval(*places, seed=self.seed) if n >= FEWEST else None
        return figure(name, value, n, interval=span)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.groups)}

    @cached_property
    def _moments(self) -> Moments:
        shape = len(self.groups), self.results.size
        return Moments.of(self.times, self.results, np.reshape([*self.groups.values()], shape))
