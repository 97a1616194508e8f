"""The finer bars of one symbol, which show what happened within its bars."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from signals.analysis.backtest.columns import Floats, Rows, Times
from signals.market.bars import BadBars


@dataclass(frozen=True, eq=False)
class FinerBars:
    """The usable bars of one symbol that are shorter than its bars, oldest first.

    `began` is when each began (`datetime64[us]`, UTC): it belongs to the bar in which it began.
    """

    began: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats

    @classmethod
    def of(
        cls, symbol: str, began: Times, open: Floats, high: Floats, low: Floats, close: Floats
    ) -> Self:
        """Return the usable ones of these bars, whose prices are finite, above 0, and in order.

        Raises `BadBars` if the times do not rise.
        """
        if not (began[1:] > began[:-1]).all():
            raise BadBars(f"{symbol}: the times of the finer bars do not rise")
        columns = (open, high, low, close)
        usable = np.logical_and.reduce([np.isfinite(each) & (each > 0) for each in columns])
        usable &= high >= low
        return cls(began[usable], *(each[usable] for each in columns))

    def __len__(self) -> int:
        return len(self.began)

    def within(self, began: Times, closed: Times) -> tuple[Rows, Rows]:
        """Return the first bar within each of these bars, and the first one after it."""
        return (
            np.searchsorted(self.began, began, side="left"),
            np.searchsorted(self.began, closed, side="left"),
        )
