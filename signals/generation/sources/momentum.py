"""Momentum: the MACD and the relative strength index, if they agree."""

import talib

from signals.generation.sources.protocol import agreed, graded
from signals.generation.votes import Vote
from signals.market.bars import Bars

WINDOW = 150
FAST, SLOW, SIGNAL, PERIOD = 12, 26, 9, 14
MIDDLE, FAR = 50.0, 20.0


def vote(bars: Bars) -> Vote | None:
    """Return BUY if the MACD(12, 26, 9) is above its signal line and RSI(14) is above 50, SELL if
    both are below, and NEUTRAL with confidence 50 if they disagree.

    MACD: Appel, "Technical Analysis: Power Tools for Active Investors", 2005. RSI: Wilder, "New
    Concepts in Technical Trading Systems", 1978. Both as trading rules: Chong and Ng, "Technical
    analysis and the London stock exchange", Applied Economics Letters 15(14), 2008. The confidence
    grows with the RSI's distance from 50: 100 at a distance of 20. The source uses the last 150
    bars; with fewer it abstains.
    """
    if len(bars) < WINDOW:
        return None
    close = bars.close[-WINDOW:]
    lines = talib.MACD(close, FAST, SLOW, SIGNAL)
    macd, signal = float(lines[0][-1]), float(lines[1][-1])
    rsi = float(talib.RSI(close, PERIOD)[-1])
    figures = {"MACD": macd, "MACD signal": signal, "RSI14": rsi}
    confidence = graded(abs(rsi - MIDDLE), 0.0, FAR)
    return agreed(macd - signal, rsi - MIDDLE, confidence, figures)
