"""How far the price went against a position and in its favor while it was open."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.types import Side
from signals.market.bars import Bars


class Excursions(NamedTuple):
    """The maximum adverse and favorable excursion, in percent of the entry price, both 0 or more.

    Source: John Sweeney, "Campaign Trading", 1996.
    """

    adverse: float
    favorable: float


def excursions(
    side: Side, entry: Decimal, exit_price: Decimal, opened_at: datetime, closed_at: datetime,
    bars: Bars,
) -> Excursions:  # fmt: skip
    """Return the excursions, from the bars that ended while the position was open.

    In the bar in which the position closed only the exit price counts, because the rest of that bar
    may have come after the exit.
    """
    lows, highs = [float(exit_price)], [float(exit_price)]
    within = range(bars.count_through(opened_at), bars.count_before(closed_at))
    lows += [float(bars.low[each]) for each in within]
    highs += [float(bars.high[each]) for each in within]
    price = float(entry)
    down = max(0.0, (price - min(lows)) / price * 100)
    up = max(0.0, (max(highs) - price) / price * 100)
    return Excursions(down, up) if side is Side.BUY else Excursions(up, down)
