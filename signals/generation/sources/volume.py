"""Volume: where the volume goes on balance, and which way the money flows."""

import talib

from signals.generation.sources.protocol import agreed, graded
from signals.generation.votes import Vote
from signals.market.bars import Bars

WINDOW = 100
AVERAGE, PERIOD = 20, 14
MIDDLE, FAR = 50.0, 30.0


def vote(bars: Bars) -> Vote | None:
    """BUY where the on-balance volume is above its EMA(20) and the money flow index (14) above 50;
    SELL where both are below; NEUTRAL, with the confidence 50, where they contradict each other.

    OBV: Granville, "New Key to Stock Market Profits", 1963; MFI: Quong and Soudack,
    "Volume-weighted RSI: money flow", Technical Analysis of Stocks and Commodities 7(3), 1989. The
    confidence grows with the MFI's distance from 50: 100 at a distance of 30. OBV counts from the
    first of the last 100 bars; with fewer, or where there was no volume, the source abstains.
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
