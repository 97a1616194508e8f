"""The trend: two exponential averages, where Wilder's index says that there is one."""

import talib

from signals.generation.sources.protocol import graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars

WINDOW = 150
FAST, SLOW, PERIOD = 20, 50, 14
TRENDING, STRONG = 20.0, 45.0


def vote(bars: Bars) -> Vote | None:
    """BUY while EMA(20) is above EMA(50), SELL while it is below, where ADX(14) is 20 or more.

    The crossing averages are the variable-length rule of Brock, Lakonishok and LeBaron, "Simple
    Technical Trading Rules and the Stochastic Properties of Stock Returns", Journal of Finance
    47(5), 1992; the ADX and its limit are Wilder's, "New Concepts in Technical Trading Systems",
    1978. The confidence grows with the ADX: 50 at 20, 100 at 45. Below 20 there is no trend to
    have an opinion on. It looks at the last 150 bars; with fewer it abstains.
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
