"""Argo's orders in Alpaca's words, and what Alpaca would never take."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from execution.brokers.protocol import Bracket, BrokerError, Close
from signals.market.instruments import CRYPTO, instrument

WHOLE_SHARE, LEAST_COIN = Decimal(1), Decimal("0.000000001")


def step_of(symbol: str) -> Decimal:
    """A share, of which alone Alpaca's brackets are; the least fraction of crypto that it keeps."""
    return LEAST_COIN if instrument(symbol).asset_type == CRYPTO else WHOLE_SHARE


def check(order: Bracket | Close) -> None:
    """What cannot be traded is refused before anything is asked, or canceled."""
    if not (order.quantity.is_finite() and order.quantity > 0):
        raise never(f"{order.quantity} is no quantity of {order.symbol}")
    if isinstance(order, Bracket):
        _check_bracket(order)


def _check_bracket(order: Bracket) -> None:
    if instrument(order.symbol).asset_type == CRYPTO:
        raise never(f"Alpaca takes no brackets of crypto, as {order.symbol} is")
    if order.quantity % WHOLE_SHARE:
        raise never(f"Alpaca's brackets are of whole shares, not {order.quantity}")
    if not (order.target.is_finite() and order.stop.is_finite()):
        raise never(f"{order.target} and {order.stop} are no target and stop")


def never(told: str) -> BrokerError:
    """An error that comes again however often it is tried."""
    return BrokerError(told, permanent=True)


def bracket(order: Bracket) -> Mapping[str, object]:
    """Market entry and both exits in one order, good till canceled: exits last as long."""
    return {
        **_market(order, order.quantity),
        "order_class": "bracket",
        "time_in_force": "gtc",
        "take_profit": {"limit_price": plain(order.target)},
        "stop_loss": {"stop_price": plain(order.stop)},
    }


def close(order: Close, quantity: Decimal) -> Mapping[str, object]:
    """For the day: fractions, as a split may leave, cannot be traded otherwise."""
    return {**_market(order, quantity), "time_in_force": "day"}


def _market(order: Bracket | Close, quantity: Decimal) -> dict[str, object]:
    return {
        "symbol": instrument(order.symbol).symbol,
        "qty": plain(quantity),
        "side": order.side.lower(),
        "type": "market",
        "client_order_id": order.client_order_id,
    }


def plain(value: Decimal) -> str:
    """Digits alone: 1E+2 is no number to Alpaca."""
    return format(value, "f")


def written(time: datetime) -> str:
    """A time as Alpaca reads it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
