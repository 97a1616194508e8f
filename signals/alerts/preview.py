"""Shows what Argo makes of an alert, and stores nothing."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.alerts.content import Content, body_of
from signals.alerts.lines import signal_line
from signals.alerts.reading import Order, read
from signals.alerts.terms import Terms
from signals.market.distance import SpelledDistance

BY_MARKET = "by the market: {:g} times its ATR"


def preview(terms: Terms, raw: bytes, now: datetime) -> dict[str, Any]:
    """Return the orders that an alert asks for, or the faults why it cannot be read."""
    try:
        body = body_of(raw)
        if body.fault:
            raise InvalidInput([FieldError("body", body.fault)])
        orders = read(Content(body.text), terms, now)
        for order in orders:
            if order.levels is not None and order.levels.prices is not None:
                signal_line(terms, order, order.levels.prices, "preview", body, now)
    except InvalidInput as error:
        return {"orders": [], "faults": [asdict(fault) for fault in error.errors]}
    return {"orders": [_shown(order, now) for order in orders], "faults": []}


def sentence(order: dict[str, Any]) -> str:
    """Return what is asked for, for people."""
    parts = []
    if order["ends"]:
        side = "" if order["ends"] == "all" else f"{order['ends']} "
        parts.append(f"ends open {side}signals in {order['symbol']} at {order['price']}")
    if order["opens"]:
        parts.append(
            f"{order['opens']} {order['symbol']} at {order['price']}, target {order['target']}, "
            f"stop {order['stop']}, confidence {order['confidence']:g}, strategy "
            f"{order['strategy']}"
        )
    return "; then ".join(parts)


def _shown(order: Order, now: datetime) -> dict[str, Any]:
    levels = order.levels
    return {
        "opens": order.opens,
        "ends": order.ends,
        "symbol": order.symbol,
        "sent": order.sent,
        "asset_type": order.asset_type,
        "price": order.price,
        "target": None if levels is None else _level(levels.target),
        "stop": None if levels is None else _level(levels.stop),
        "confidence": order.confidence,
        "strategy": order.strategy,
        "time": (order.time or now).isoformat(),
        "known_by": list(order.marks) or ["its text"],
    }


def _level(level: float | SpelledDistance) -> float | str:
    return BY_MARKET.format(level.amount) if isinstance(level, SpelledDistance) else level
