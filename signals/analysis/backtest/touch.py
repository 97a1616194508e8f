"""Finds the first bar that reaches a level, for many trades at once."""

from dataclasses import dataclass, field

import numpy as np

from signals.analysis.backtest.columns import Floats, Rows


@dataclass(eq=False)
class Extremes:
    """The lowest low and highest high of 1, 2, 4, 8, ... bars from each bar on.

    With these tables a span of n bars is searched in log2(n) steps. (Bender and Farach-Colton,
    "The LCA Problem Revisited", 2000, call them sparse tables.) They are made when they are needed.
    """

    low: Floats
    high: Floats
    _lowest: list[Floats] = field(default_factory=list)
    _highest: list[Floats] = field(default_factory=list)

    def first_touch(self, row: Rows, end: Rows, lower: Floats, upper: Floats) -> Rows:
        """Return the first bar from `row` on, before `end`, that reaches a level.

        That is a low at or below `lower`, or a high at or above `upper`. Return `end` if there is
        none.
        """
        row = row.copy()
        for power in range(self._prepare(int(np.max(end - row, initial=0))), -1, -1):
            lowest, highest = self._lowest[power], self._highest[power]
            fits = row + (1 << power) <= end
            at = np.where(fits, row, 0)
            fits &= (lowest[at] > lower) & (highest[at] < upper)
            row += fits.astype(np.int64) << power
        return row

    def _prepare(self, span: int) -> int:
        """Make the tables for spans of up to so many bars; return the largest power of two."""
        largest = max(span, 1).bit_length() - 1
        if not self._lowest:
            self._lowest.append(self.low)
            self._highest.append(self.high)
        while len(self._lowest) <= largest:
            half = 1 << (len(self._lowest) - 1)
            self._lowest.append(_paired(np.minimum, self._lowest[-1], half))
            self._highest.append(_paired(np.maximum, self._highest[-1], half))
        return largest


def _paired(chosen: np.ufunc, column: Floats, half: int) -> Floats:
    """Return the extreme of two neighboring spans of `half` bars; the last ones stay single."""
    paired = column.copy()
    paired[:-half] = chosen(column[:-half], column[half:])
    return paired
