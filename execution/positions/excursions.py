"""How far a price went against a position and for it, while it was open."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution.types import Side
from signals.market.bars import Bars


class Excursions(NamedTuple):
    """In percent of the entry, both 0 or more: Sweeney, "Campaign Trading", 1996."""

    adverse: float
    favorable: float


def excursions(
    side: Side, entry: Decimal, exit_price: Decimal, opened_at: datetime, closed_at: datetime,
    bars: Bars,
) -> Excursions:  # fmt: skip
    """The maximum adverse and favorable excursion, from the bars that ended while it was open.

    Of the bar in which it was closed only the exit counts: what came after it within the bar was
    not ours.
    """
    lows, highs = [float(exit_price)], [float(exit_price)]
    within = range(bars.count_through(opened_at), bars.count_before(closed_at))
    lows += [float(bars.low[each]) for each in within]
    highs += [float(bars.high[each]) for each in within]
    price = float(entry)
    down = max(0.0, (price - min(lows)) / price * 100)
    up = max(0.0, (max(highs) - price) / price * 100)
    return Excursions(down, up) if side is Side.BUY else Excursions(up, down)
