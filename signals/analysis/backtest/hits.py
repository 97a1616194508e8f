"""What bars reach of the levels of trades."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from signals.analysis.backtest.columns import Floats, Mask, Rows


class Prices(Protocol):
    """The prices of bars, in columns."""

    @property
    def open(self) -> Floats: ...
    @property
    def high(self) -> Floats: ...
    @property
    def low(self) -> Floats: ...


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What each trade's bar reaches, by the side of its trade."""

    opens_at_stop: Mask
    opens_at_target: Mask
    stop: Mask
    target: Mask

    @classmethod
    def of(cls, bars: Prices, row: Rows, is_long: Mask, stop: Floats, target: Floats) -> "Hits":
        """Compare the bars at `row` with the levels."""
        opened, low, high = bars.open[row], bars.low[row], bars.high[row]
        return cls(
            np.where(is_long, opened <= stop, opened >= stop),
            np.where(is_long, opened >= target, opened <= target),
            np.where(is_long, low <= stop, high >= stop),
            np.where(is_long, high >= target, low <= target),
        )
