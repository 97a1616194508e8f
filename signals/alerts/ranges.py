"""Target and stop at a distance by the average true range of the market."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.module_loading import import_string

from argo.errors import FieldError, InvalidInput
from signals.alerts.reading import Order
from signals.instruments import instrument
from signals.market.distance import SpelledDistance
from signals.market.protocol import MarketData

if TYPE_CHECKING:
    from signals.generation.levels import Distance


def prices_of(order: Order, at: datetime, market: MarketData) -> tuple[float, float]:
    """Return target and stop, by the bars that had closed at `at`.

    Raises InvalidInput if there are too few bars, and what the market raises.
    """
    assert order.levels is not None  # noqa: S101  # an order that opens has them
    assert order.price is not None  # noqa: S101
    sign = 1 if order.opens == "BUY" else -1
    levels = (("target", order.levels.target, sign), ("stop", order.levels.stop, -sign))
    target, stop = (_price(name, level, each, order, at, market) for name, level, each in levels)
    return target, stop


def _price(
    name: str,
    level: float | SpelledDistance,
    sign: int,
    order: Order,
    at: datetime,
    market: MarketData,
) -> float:
    if not isinstance(level, SpelledDistance):
        return level
    # By its name: TA-Lib takes 80 MiB with what it loads, and few senders need it.
    kind: type[Distance] = import_string("signals.generation.levels.Distance")
    entry = order.price or 0.0
    away = kind(level.amount, level.unit).of(entry, market.bars(order.symbol, at))
    if away is None:
        raise InvalidInput([FieldError(name, f"{order.symbol} has too few bars for the ATR")])
    return instrument(order.symbol, order.asset_type).rounded(entry + sign * away)
