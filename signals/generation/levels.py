"""Where a trade ends: target and stop, by true ranges or by percent of the entry."""

import re
from dataclasses import dataclass

import talib

from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.market.instruments import Instrument

PERIOD, WINDOW = 14, 100
SPELLING = re.compile(r"(\d+(?:\.\d+)?)\s*(%|ATR)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far from the entry: a number of percent of it, or a multiple of the ATR(14).

    Wilder, "New Concepts in Technical Trading Systems", 1978, has stops by the ATR.
    """

    amount: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Distance":
        """From `3%` or `2ATR`. Raises `ValueError`."""
        found = SPELLING.fullmatch(text.strip())
        if not found or not float(found[1]) > 0:
            raise ValueError(f"{text!r} is no distance: write it as 3% or 2ATR")
        return cls(float(found[1]), found[2].upper())

    def of(self, entry: float, bars: Bars) -> float | None:
        """In the currency of the entry; None where the bars are too few for the ATR."""
        if self.unit == "%":
            return entry * self.amount / 100
        if len(bars) <= PERIOD:
            return None
        return self.amount * float(talib.ATR(*bars.ranges(WINDOW), PERIOD)[-1])


@dataclass(frozen=True, slots=True)
class Levels:
    """Target and stop of every trade, mirrored for SELL, at the instrument's ticks."""

    target: Distance
    stop: Distance

    def around(
        self, entry: float, action: Direction, bars: Bars, instrument: Instrument
    ) -> tuple[float, float] | None:
        """The prices of target and stop; None where they cannot be worked out."""
        target, stop = self.target.of(entry, bars), self.stop.of(entry, bars)
        if target is None or stop is None:
            return None
        sign = 1 if action is Direction.BUY else -1
        return (
            instrument.rounded(entry + sign * target),
            instrument.rounded(entry - sign * stop),
        )
