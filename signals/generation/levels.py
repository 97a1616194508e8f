"""Target and stop of a trade, by the average true range or by percent of the entry."""

from dataclasses import dataclass

import talib

from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.market.distance import SpelledDistance
from signals.market.instruments import Instrument

PERIOD, WINDOW = 14, 100


@dataclass(frozen=True, slots=True)
class Distance(SpelledDistance):
    """A distance from the entry: a percentage of it, or a multiple of the ATR(14).

    Stops by the ATR are from Wilder, "New Concepts in Technical Trading Systems", 1978.
    """

    def of(self, entry: float, bars: Bars) -> float | None:
        """Return the distance in the entry's currency; None if there are too few bars for ATR."""
        if self.unit == "%":
            return entry * self.amount / 100
        if len(bars) <= PERIOD:
            return None
        return self.amount * float(talib.ATR(*bars.ranges(WINDOW), PERIOD)[-1])


@dataclass(frozen=True, slots=True)
class Levels:
    """Target and stop of every trade, mirrored for SELL, rounded to the instrument's ticks."""

    target: Distance
    stop: Distance

    def around(
        self, entry: float, action: Direction, bars: Bars, instrument: Instrument
    ) -> tuple[float, float] | None:
        """Return the prices of target and stop; None if there are too few bars for the ATR."""
        target, stop = self.target.of(entry, bars), self.stop.of(entry, bars)
        if target is None or stop is None:
            return None
        sign = 1 if action is Direction.BUY else -1
        return (
            instrument.rounded(entry + sign * target),
            instrument.rounded(entry - sign * stop),
        )
