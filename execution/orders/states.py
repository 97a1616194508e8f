"""The states of an order: the table of transitions, and the one function that makes one."""

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
    # from here to submitted again: the broker was asked and never had the order
    OrderState.SUBMITTED: _SENT | {OrderState.UNKNOWN, OrderState.SUBMITTED, OrderState.DENIED},
    OrderState.UNKNOWN: _SENT | {OrderState.UNKNOWN, OrderState.SUBMITTED, OrderState.DENIED},
    OrderState.ACCEPTED: _SENT - {OrderState.ACCEPTED},
    OrderState.PARTIALLY_FILLED: frozenset(
        {OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED}
    ),
    OrderState.FILLED: frozenset(),
    # a fill was on its way when the broker canceled
    OrderState.CANCELED: frozenset({OrderState.FILLED}),
    OrderState.EXPIRED: frozenset({OrderState.FILLED}),
    OrderState.REJECTED: frozenset(),
}
"""The states that may follow each state.

An exit goes from initialized to accepted, because only its entry is sent.
"""

REASON_CLEARED = frozenset({OrderState.ACCEPTED, OrderState.FILLED})
"""The states that clear the reason: an earlier doubt, or a cancel that came too late, is over."""

LONGEST_ID = 100
"""Brokers accept 128 characters (Alpaca) or fewer."""


class BadTransition(ValueError):
    """The table of transitions does not allow this change of state."""


def client_order_id(signal_id: str, leg: Leg, number: int = 1) -> str:
    """Return an order's id at the broker, always the same for the same signal, leg and number.

    A signal id that brokers would not accept is replaced by its hash.
    """
    name = signal_id
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", name) or len(name) > LONGEST_ID - 20:
        name = hashlib.sha256(name.encode()).hexdigest()[:48]
    return f"argo-{name}-{leg}" + (f"-{number}" if number > 1 else "")


def may_become(old: OrderState, new: OrderState) -> bool:
    """Return whether the table allows this transition."""
    return new in TRANSITIONS[old]


def move(order: Order, new: OrderState, now: datetime, **changes: Any) -> bool:  # noqa: ANN401
    """Change the order's state and any columns that an order may change, in one conditional update.

    Return False if the stored order is no longer in the state that `order` has. Raises
    `BadTransition` if the table does not allow the change, and `Immutable` for another column.
    """
    old = OrderState(order.state)
    if not may_become(old, new):
        raise BadTransition(f"{order.client_order_id} is {old} and cannot become {new}")
    values = {"state": new.value, "updated_at": now, **changes}
    if new in REASON_CLEARED:
        values.setdefault("reason", "")
    moved = rows.update(Order, order.pk, values, only_if={"state": old.value})
    if moved:
        for name, value in values.items():
            setattr(order, name, value)
    return moved
