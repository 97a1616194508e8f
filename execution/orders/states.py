"""The life of an order: what may follow what, and how it is told."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from execution.models import Order
from execution.types import Leg, OrderState
from signals import rows

_SENT = frozenset({
    OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELED,
    OrderState.EXPIRED, OrderState.REJECTED,
})  # fmt: skip
TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.INITIALIZED: frozenset(
        {OrderState.DENIED, OrderState.SUBMITTED, OrderState.CANCELED}
    )
    | _SENT,
    OrderState.DENIED: frozenset(),
    # submitted again: looked up at the broker, which never had it
    OrderState.SUBMITTED: _SENT | {OrderState.UNKNOWN, OrderState.SUBMITTED, OrderState.DENIED},
    OrderState.UNKNOWN: _SENT | {OrderState.UNKNOWN, OrderState.SUBMITTED, OrderState.DENIED},
    OrderState.ACCEPTED: _SENT - {OrderState.ACCEPTED},
    OrderState.PARTIALLY_FILLED: frozenset(
        {OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED}
    ),
    OrderState.FILLED: frozenset(),
    # a fill that was on its way when the broker canceled
    OrderState.CANCELED: frozenset({OrderState.FILLED}),
    OrderState.EXPIRED: frozenset({OrderState.FILLED}),
    OrderState.REJECTED: frozenset(),
}
"""What may follow each state. Exits go from initialized to accepted: their entry is sent."""

UNQUESTIONED = frozenset({OrderState.ACCEPTED, OrderState.FILLED})
"""What needs no reason: that of a doubt before it, or of a cancel that came too late, is over."""

LONGEST_ID = 100
"""Brokers take 128 characters (Alpaca) or fewer."""


class BadTransition(ValueError):
    """No order goes this way."""


def client_order_id(signal_id: str, leg: Leg, number: int = 1) -> str:
    """The name of an order at the broker: always the same for the same signal and leg.

    A signal id that a broker would not take is told by its hash.
    """
    name = signal_id
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", name) or len(name) > LONGEST_ID - 20:
        name = hashlib.sha256(name.encode()).hexdigest()[:48]
    return f"argo-{name}-{leg}" + (f"-{number}" if number > 1 else "")


def may_become(old: OrderState, new: OrderState) -> bool:
    """Whether the table has it."""
    return new in TRANSITIONS[old]


def move(order: Order, new: OrderState, now: datetime, **changes: Any) -> bool:  # noqa: ANN401
    """Change the order's state; whether it was still in the state that `order` says.

    Raises `BadTransition` for a way that the table does not have.
    """
    old = OrderState(order.state)
    if not may_become(old, new):
        raise BadTransition(f"{order.client_order_id} is {old} and cannot become {new}")
    values = {"state": new.value, "updated_at": now, **changes}
    if new in UNQUESTIONED:
        values.setdefault("reason", "")
    moved = rows.update(Order, order.pk, values, only_if={"state": old.value})
    if moved:
        for name, value in values.items():
            setattr(order, name, value)
    return moved
