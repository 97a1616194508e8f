"""The regime: the kind of market that a symbol is in."""

from enum import StrEnum

import numpy as np

from signals.market.bars import Bars, Column

BARS = 200
SHORT, MIDDLE, LONG = 20, 50, 200
CRISIS_RATIO = 1.5


class Regime(StrEnum):
    """The kind of market; UNKNOWN if there are too few bars."""

    BULL = "BULL"
    BEAR = "BEAR"
    CHOP = "CHOP"
    CRISIS = "CRISIS"
    UNKNOWN = "UNKNOWN"


def regime_of(bars: Bars) -> Regime:
    """Return the regime at the last bar, from the last 200 bars; UNKNOWN with fewer.

    CRISIS: the standard deviation of the last 20 one-bar returns is above 1.5 times the standard
    deviation of the last 50 (both population deviations). BULL: SMA(20) > SMA(50) > SMA(200) of
    the closes; BEAR: the reverse; otherwise CHOP. The 50 returns contain the 20, so the ratio
    hardly exceeds sqrt(50 / 20) = 1.58: a CRISIS needs a quiet month followed by a wild one, and
    ends soon.
    """
    if len(bars) < BARS:
        return Regime.UNKNOWN
    close = bars.close[-LONG:]
    returns = close[-MIDDLE:] / close[-MIDDLE - 1 : -1] - 1
    if _deviation(returns[-SHORT:]) > CRISIS_RATIO * _deviation(returns):
        return Regime.CRISIS
    short, middle, long = (_mean(close[-count:]) for count in (SHORT, MIDDLE, LONG))
    if short > middle > long:
        return Regime.BULL
    return Regime.BEAR if short < middle < long else Regime.CHOP


def _mean(values: Column) -> float:
    return float(np.add.reduce(values)) / len(values)  # `mean` costs five times as much


def _deviation(values: Column) -> float:
    off = values - _mean(values)
    return float(np.sqrt(np.dot(off, off) / len(values)))
