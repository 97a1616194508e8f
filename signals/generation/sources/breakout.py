"""Breakout: a close outside the Donchian channel, measured in average true ranges."""

import talib

from signals.generation.sources.protocol import graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars

CHANNEL, PERIOD = 20, 14
WINDOW = 100
CERTAIN = 1.0


def vote(bars: Bars) -> Vote | None:
    """Return BUY if the close is above the highest high of the 20 bars before, SELL if it is
    below their lowest low, otherwise None.

    The channel is Donchian's; entering at its break is the turtles' rule (Faith, "Way of the
    Turtle", 2007). The ATR is from Wilder, "New Concepts in Technical Trading Systems", 1978. The
    confidence grows with the distance from the channel: 50 at the channel, 100 at one ATR(14)
    beyond it. The source uses the last 100 bars; with fewer, or if the ATR is 0, it abstains.
    """
    if len(bars) < WINDOW:
        return None
    last = float(bars.close[-1])
    upper = float(bars.high[-CHANNEL - 1 : -1].max())
    lower = float(bars.low[-CHANNEL - 1 : -1].min())
    if lower <= last <= upper:
        return None
    atr = float(talib.ATR(*bars.ranges(WINDOW), PERIOD)[-1])
    if atr == 0:
        return None
    figures = {"close": last, "channel high": upper, "channel low": lower, "ATR14": atr}
    direction = Direction.BUY if last > upper else Direction.SELL
    beyond = max(last - upper, lower - last) / atr
    return Vote(direction, graded(beyond, 0.0, CERTAIN), figures)
