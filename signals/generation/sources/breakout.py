"""Breakout: a close outside of the Donchian channel, measured in true ranges."""

import talib

from signals.generation.sources.protocol import graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars

CHANNEL, PERIOD = 20, 14
WINDOW = 100
SURE = 1.0


def vote(bars: Bars) -> Vote | None:
    """BUY where the close is above the highest high of the 20 bars before, SELL where it is below
    their lowest low. In between it abstains.

    The channel is Donchian's, and entry by it the turtles': Faith, "Way of the Turtle", 2007; the
    ATR: Wilder, "New Concepts in Technical Trading Systems", 1978. The confidence grows with how
    far outside the close is: 50 at the channel, 100 at one ATR(14) past it. It looks at the last
    100 bars; with fewer, or where the bars have no range, it abstains.
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
    return Vote(direction, graded(beyond, 0.0, SURE), figures)
