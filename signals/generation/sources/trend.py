"""Trend: two exponential averages, if Wilder's ADX shows a trend."""

import talib

from signals.generation.sources.protocol import graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars

WINDOW = 150
FAST, SLOW, PERIOD = 20, 50, 14
TRENDING, STRONG = 20.0, 45.0


def vote(bars: Bars) -> Vote | None:
    """Return BUY if EMA(20) is above EMA(50), SELL if it is below; None if ADX(14) is under 20.

    The crossing averages are the variable-length rule of Brock, Lakonishok and LeBaron, "Simple
    Technical Trading Rules and the Stochastic Properties of Stock Returns", Journal of Finance
    47(5), 1992. The ADX and its limit are from Wilder, "New Concepts in Technical Trading
    Systems", 1978. The confidence grows with the ADX: 50 at 20, 100 at 45. An ADX below 20 means
    no trend. The source uses the last 150 bars; with fewer it abstains.
    """
    if len(bars) < WINDOW:
        return None
    high, low, close = bars.ranges(WINDOW)
    adx = float(talib.ADX(high, low, close, PERIOD)[-1])
    fast, slow = float(talib.EMA(close, FAST)[-1]), float(talib.EMA(close, SLOW)[-1])
    if adx < TRENDING or fast == slow:
        return None
    direction = Direction.BUY if fast > slow else Direction.SELL
    figures = {"EMA20": fast, "EMA50": slow, "ADX14": adx}
    return Vote(direction, graded(adx, TRENDING, STRONG), figures)
