"""Makes the journal line of an alert's signal, with the alert in it."""

from datetime import datetime
from typing import Any

import orjson

from signals.alerts.content import Body
from signals.alerts.reading import Order
from signals.alerts.terms import Terms
from signals.ledger.records import NAMED_BY_ALERT, Receipt, encode
from signals.timestamps import utc_text


def signal_line(
    terms: Terms,
    order: Order,
    prices: tuple[float, float],
    signal_id: str,
    body: Body,
    now: datetime,
    content_type: str = "",
) -> tuple[Receipt, bytes]:
    """Return the id and hash of the signal, and its journal line. Raises InvalidInput."""
    receipt, line = encode(_fields(terms, order, prices, signal_id, now), now, NAMED_BY_ALERT)
    alert: dict[str, Any] = {"sender": terms.name, "sender_id": terms.id, "body": body.kept}
    if body.is_base64:
        alert["is_base64"] = True
    if content_type:
        alert["content_type"] = content_type
    more: dict[str, Any] = {"alert": alert}
    if order.sent != order.symbol:
        more = {"symbol_as_sent": order.sent} | more
    return receipt, line[:-1] + b"," + orjson.dumps(more)[1:]


def _fields(
    terms: Terms, order: Order, prices: tuple[float, float], signal_id: str, now: datetime
) -> dict[str, object]:
    fields: dict[str, object] = {
        "signal_id": signal_id,
        "symbol": order.symbol,
        "action": order.opens,
        "entry_price": order.price,
        "target_price": prices[0],
        "stop_price": prices[1],
        "confidence": order.confidence,
        "strategy": order.strategy,
        "asset_type": order.asset_type,
        "data_source": terms.name,
        "timestamp": utc_text(order.time or now),
    }
    return fields | ({"reasoning": order.reasoning} if order.reasoning else {})
