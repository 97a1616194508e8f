"""Argo's orders as Alpaca's request bodies, and the orders that Alpaca never accepts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from execution.brokers.protocol import Bracket, BrokerError, Close, Stop
from signals.instruments import instrument
from signals.market.instruments import ALPACA, spelled_at

SHARE_STEP, COIN_STEP = Decimal(1), Decimal("0.000000001")


def step_of(symbol: str) -> Decimal:
    """Return one share, because Alpaca's brackets are for whole shares; for crypto, the smallest
    fraction that it keeps."""
    return instrument(symbol).step_or(COIN_STEP)


def check(order: Bracket | Close | Stop) -> None:
    """Raise `BrokerError` for an order that cannot be traded, before any request is sent."""
    if not (order.quantity.is_finite() and order.quantity > 0):
        raise permanent_error(f"the quantity {order.quantity} of {order.symbol} is not valid")
    if isinstance(order, Bracket):
        _check_bracket(order)


def _check_bracket(order: Bracket) -> None:
    kind = instrument(order.symbol).kind
    if not kind.is_equity:
        what = "crypto" if kind.is_crypto else f"the kind {kind}"
        raise permanent_error(f"Alpaca accepts no brackets of {what}: {order.symbol}")
    _spelled(order.symbol)
    if order.quantity % SHARE_STEP:
        raise permanent_error(f"Alpaca's brackets are for whole shares, not {order.quantity}")
    if not (order.target.is_finite() and order.stop.is_finite()):
        raise permanent_error(f"target {order.target} or stop {order.stop} is not valid")


def permanent_error(message: str) -> BrokerError:
    """Return an error that comes again on every try."""
    return BrokerError(message, permanent=True)


def bracket(order: Bracket) -> Mapping[str, object]:
    """Return one order with the market entry and both exits, good till canceled: the exits last as
    long."""
    return {
        **_market(order, order.quantity),
        "order_class": "bracket",
        "time_in_force": "gtc",
        "take_profit": {"limit_price": plain(order.target)},
        "stop_loss": {"stop_price": plain(order.stop)},
    }


def close(order: Close, quantity: Decimal) -> Mapping[str, object]:
    """Return an order for the day: fractions, which a split may leave, allow nothing else."""
    return {**_market(order, quantity), "time_in_force": "day"}


def stop(order: Stop, quantity: Decimal) -> Mapping[str, object]:
    """Return a stop on its own. One for a fraction lasts only for the day, as Alpaca demands."""
    lasts = "day" if quantity % SHARE_STEP else "gtc"
    levels = {"type": "stop", "stop_price": plain(order.level), "time_in_force": lasts}
    return _market(order, quantity) | levels


def _market(order: Bracket | Close | Stop, quantity: Decimal) -> dict[str, object]:
    return {
        "symbol": _spelled(order.symbol),
        "qty": plain(quantity),
        "side": order.side.lower(),
        "type": "market",
        "client_order_id": order.client_order_id,
    }


def _spelled(symbol: str) -> str:
    """Return the symbol as Alpaca's orders spell it. Raises `BrokerError` if Alpaca has none."""
    name = spelled_at(instrument(symbol), ALPACA)
    if name is None:
        raise permanent_error(f"Alpaca does not trade {symbol}")
    return name


def plain(value: Decimal) -> str:
    """Return plain digits: Alpaca does not accept 1E+2."""
    return format(value, "f")


def utc_seconds(time: datetime) -> str:
    """Return a time as Alpaca reads it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
