"""Mean reversion: a price outside its Bollinger bands with an extreme relative strength index."""

import talib

from signals.generation.sources.protocol import graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars

WINDOW = 150
BAND, WIDTH, PERIOD = 20, 2.0, 14
OVERSOLD, OVERBOUGHT, EXTREME = 30.0, 70.0, 15.0


def vote(bars: Bars) -> Vote | None:
    """Return BUY below the lower Bollinger band (20 bars, 2 standard deviations) with RSI(14)
    under 30, SELL above the upper band with RSI(14) over 70, otherwise None.

    Bands: Bollinger, "Bollinger on Bollinger Bands", 2001. RSI and its limits: Wilder, "New
    Concepts in Technical Trading Systems", 1978. The confidence grows with the distance of the RSI
    from its limit: 50 at the limit, 100 at 15 points beyond it. The source uses the last 150 bars;
    with fewer it abstains.
    """
    if len(bars) < WINDOW:
        return None
    close = bars.close[-WINDOW:]
    bands = talib.BBANDS(close[-BAND:], BAND, WIDTH, WIDTH)
    upper, lower, last = float(bands[0][-1]), float(bands[2][-1]), float(close[-1])
    if lower <= last <= upper:
        return None
    rsi = float(talib.RSI(close, PERIOD)[-1])
    figures = {"close": last, "upper band": upper, "lower band": lower, "RSI14": rsi}
    if last < lower and rsi < OVERSOLD:
        return Vote(Direction.BUY, graded(OVERSOLD - rsi, 0.0, EXTREME), figures)
    if last > upper and rsi > OVERBOUGHT:
        return Vote(Direction.SELL, graded(rsi - OVERBOUGHT, 0.0, EXTREME), figures)
    return None
