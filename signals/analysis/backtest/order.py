"""Finds out from finer bars if a trade's stop or its target came first within a bar."""

from dataclasses import dataclass

import numpy as np

from signals.analysis.backtest.columns import Floats, Mask, Rows, Times
from signals.analysis.backtest.finer import FinerBars
from signals.analysis.backtest.hits import Hits
from signals.analysis.backtest.levels import rounded

NEAR = 0.002
"""How far, as a part of the price, the range of finer bars may be from that of their bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Bars that reach both levels of a trade: their times and extremes, and the levels."""

    began: Times
    closed: Times
    low: Floats
    high: Floats
    is_long: Mask
    stop: Floats
    target: Floats

    def rows(self, chosen: Mask) -> "Doubt":
        """Return these rows."""
        return Doubt(
            self.began[chosen], self.closed[chosen], self.low[chosen], self.high[chosen],
            self.is_long[chosen], self.stop[chosen], self.target[chosen],
        )  # fmt: skip


def first_level(finer: FinerBars, doubt: Doubt) -> tuple[Mask, Mask]:
    """Return for which bars the finer ones show what came first, and where that was the target.

    They show it if they have the range of their bar, reach both levels, and the first of them that
    reaches a level does not reach both. They may be on another scale, as bars that are adjusted
    for dividends are.
    """
    known = np.zeros(len(doubt.stop), np.bool_)
    is_target = known.copy()
    start, end = finer.within(doubt.began, doubt.closed)
    if (there := end > start).any():
        known[there], is_target[there] = _shown(
            finer, doubt.rows(there), start[there], (end - start)[there]
        )
    return known, known & is_target


def _shown(finer: FinerBars, doubt: Doubt, start: Rows, count: Rows) -> tuple[Mask, Mask]:
    """Return the same for bars with `count` finer ones each, at least one, from `start` on."""
    first = np.cumsum(count) - count
    trade = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(trade))
    row = place + (start - first)[trade]
    scale, fits = _scale(
        doubt, np.minimum.reduceat(finer.low[row], first),
        np.maximum.reduceat(finer.high[row], first),
    )  # fmt: skip
    stop, target = _on_scale(doubt.stop, scale)[trade], _on_scale(doubt.target, scale)[trade]
    hits = Hits.of(finer, row, doubt.is_long[trade], stop, target)
    reached = np.where(hits.stop | hits.target, place, len(place))
    at = np.minimum(np.minimum.reduceat(reached, first), len(place) - 1)
    both = np.logical_or.reduceat(hits.stop, first) & np.logical_or.reduceat(hits.target, first)
    by_stop = hits.opens_at_stop[at] | (hits.stop[at] & ~hits.target[at])
    by_target = hits.opens_at_target[at] | (hits.target[at] & ~hits.stop[at])
    return fits & both & (by_stop | by_target), by_target


def _scale(doubt: Doubt, lowest: Floats, highest: Floats) -> tuple[Floats, Mask]:
    """Return the finer prices for a price of 1, and whether the ranges are the same."""
    scale = highest / doubt.high
    fits = np.abs(lowest / doubt.low / scale - 1) <= NEAR
    return np.where(np.abs(scale - 1) <= NEAR, 1.0, scale), fits


def _on_scale(level: Floats, scale: Floats) -> Floats:
    return np.where(scale == 1, level, rounded(level * scale))
