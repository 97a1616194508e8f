"""The bars of one symbol, prepared for a backtest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from signals.analysis.backtest.columns import Floats, Mask, Rows, Times
from signals.analysis.backtest.finer import FinerBars
from signals.analysis.backtest.touch import Extremes
from signals.market.bars import BadBars, Bars, as_times


class Split(NamedTuple):
    """One share became `ratio` shares at `ex_at` (UTC): 2 if it was split, 1/10 if merged.

    `is_rebased`: the bars before it are on the scale of those after it; otherwise they jump. Bars
    that were adjusted for a dividend were rebased too, by the part of the price that it was.
    """

    ex_at: datetime
    ratio: Fraction
    is_rebased: bool = False


@dataclass(frozen=True, eq=False)
class History:
    """The usable bars of one symbol in columns, oldest first: prices are finite and above 0.

    `began` is when each bar began, `time` when it closed (`datetime64[us]`, UTC). `dropped` is how
    many bars had no valid prices. `splits` are oldest first. `finer` are bars of the same symbol
    that show what happened within these bars. `clock` are the moments at which it is
    noticed that a time is up, oldest first: the closes of these bars, if it is None.
    """

    symbol: str
    began: Times
    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    dropped: int = 0
    splits: Sequence[Split] = ()
    finer: FinerBars | None = None
    clock: Times | None = None

    @classmethod
    def of(
        cls, bars: Bars, began: Times | None = None, splits: Sequence[Split] = (),
        finer: FinerBars | None = None,
    ) -> "History":  # fmt: skip
        """Return the usable ones of these bars.

        Without `began` each bar begins when the one before it closed. Raises `BadBars` if the times
        do not rise.
        """
        if len(bars) and not (bars.time[1:] > bars.time[:-1]).all():
            raise BadBars(f"{bars.symbol}: the times of the bars do not rise")
        starts = np.concatenate((bars.time[:1], bars.time[:-1])) if began is None else began
        usable = _usable(bars)
        rows = slice(None) if usable.all() else usable  # a view costs nothing
        return cls(
            bars.symbol, starts[rows], bars.time[rows], bars.open[rows], bars.high[rows],
            bars.low[rows], bars.close[rows], int(len(bars) - usable.sum()),
            sorted(splits, key=lambda each: each.ex_at), finer,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.time)

    @cached_property
    def extremes(self) -> Extremes:
        """Return the lowest and highest prices of spans of bars."""
        return Extremes(self.low, self.high)

    @cached_property
    def jumps(self) -> "Jumps":
        """Return the splits at which these bars jump."""
        jumping = [each for each in self.splits if not each.is_rebased]
        ex_at = as_times(each.ex_at for each in jumping)
        return Jumps(
            ex_at,
            np.searchsorted(self.began, ex_at, side="left"),
            np.cumprod([1.0, *(float(each.ratio) for each in jumping)]).astype(np.float64),
        )


class Jumps(NamedTuple):
    """Splits at which bars jump, oldest first: when, and the first bar on the new scale.

    `shares` has one more: what one share of the beginning is after so many splits.
    """

    ex_at: Times
    row: Rows
    shares: Floats

    def shares_at(self, rows: Rows) -> Floats:
        """Return what one share of the beginning has become by these bars."""
        return np.asarray(self.shares[np.searchsorted(self.row, rows, side="right")])

    def shares_when(self, moments: Times) -> Floats:
        """Return what one share of the beginning has become by these moments."""
        return np.asarray(self.shares[np.searchsorted(self.ex_at, moments, side="right")])

    def next_row(self, rows: Rows, end: Rows) -> Rows:
        """Return the first bar on another scale after each of `rows`; `end` if none is before."""
        if not len(self.row):
            return end
        following = np.append(self.row, np.iinfo(np.int64).max)
        return np.asarray(np.minimum(end, following[np.searchsorted(self.row, rows, side="right")]))


def _usable(bars: Bars) -> Mask:
    usable = ~np.isnat(bars.time)
    for column in (bars.open, bars.high, bars.low, bars.close):
        usable &= np.isfinite(column) & (column > 0)
    return usable & (bars.high >= bars.low)
