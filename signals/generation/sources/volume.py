"""Volume: on-balance volume and the money flow index, if they agree."""

import talib

from signals.generation.sources.protocol import agreed, graded
from signals.generation.votes import Vote
from signals.market.bars import Bars

WINDOW = 100
AVERAGE, PERIOD = 20, 14
MIDDLE, FAR = 50.0, 30.0


def vote(bars: Bars) -> Vote | None:
    """Return BUY if the on-balance volume is above its EMA(20) and the money flow index (14) is
    above 50, SELL if both are below, and NEUTRAL with confidence 50 if they disagree.

    OBV: Granville, "New Key to Stock Market Profits", 1963. MFI: Quong and Soudack,
    "Volume-weighted RSI: money flow", Technical Analysis of Stocks and Commodities 7(3), 1989. The
    confidence grows with the MFI's distance from 50: 100 at a distance of 30. OBV starts at the
    first of the last 100 bars; with fewer bars, or if the last 14 have no volume, the source
    abstains.
    """
    if len(bars) < WINDOW:
        return None
    high, low, close = bars.ranges(WINDOW)
    volume = bars.volume[-WINDOW:]
    if not volume[-PERIOD:].any():
        return None
    balance = talib.OBV(close, volume)
    obv, average = float(balance[-1]), float(talib.EMA(balance, AVERAGE)[-1])
    mfi = float(talib.MFI(high, low, close, volume, PERIOD)[-1])
    figures = {"OBV": obv, "EMA20 of OBV": average, "MFI14": mfi}
    confidence = graded(abs(mfi - MIDDLE), 0.0, FAR)
    return agreed(obv - average, mfi - MIDDLE, confidence, figures)
