"""The life of an order: what may follow what, and how it is told."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from execution.brokers.protocol import Leg, State
from execution.models import Order
from execution.models.order import CHANGING, Immutable
from signals import rows

_SENT = frozenset({State.ACCEPTED, State.PARTIALLY_FILLED, State.FILLED, State.CANCELED,
                   State.EXPIRED, State.REJECTED})  # fmt: skip
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.INITIALIZED: frozenset({State.DENIED, State.SUBMITTED, State.CANCELED}) | _SENT,
    State.DENIED: frozenset(),
    # submitted again: looked up at the broker, which never had it
    State.SUBMITTED: _SENT | {State.UNKNOWN, State.SUBMITTED, State.DENIED},
    State.UNKNOWN: _SENT | {State.UNKNOWN, State.SUBMITTED, State.DENIED},
    State.ACCEPTED: _SENT - {State.ACCEPTED},
    State.PARTIALLY_FILLED: frozenset(
        {State.PARTIALLY_FILLED, State.FILLED, State.CANCELED, State.EXPIRED}
    ),
    State.FILLED: frozenset(),
    # a fill that was on its way when the broker canceled
    State.CANCELED: frozenset({State.FILLED}),
    State.EXPIRED: frozenset({State.FILLED}),
    State.REJECTED: frozenset(),
}
"""What may follow each state. Exits go from initialized to accepted: their entry is sent."""

UNQUESTIONED = frozenset({State.ACCEPTED, State.FILLED})
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


def may_become(old: State, new: State) -> bool:
    """Whether the table has it."""
    return new in TRANSITIONS[old]


def move(order: Order, new: State, now: datetime, **changes: Any) -> bool:  # noqa: ANN401
    """Change the order's state; whether it was still in the state that `order` says.

    Raises `BadTransition` for a way that the table does not have.
    """
    old = State(order.state)
    if not may_become(old, new):
        raise BadTransition(f"{order.client_order_id} is {old} and cannot become {new}")
    if fixed := changes.keys() - CHANGING:
        raise Immutable(f"What was ordered stays as it is: {', '.join(sorted(fixed))}.")
    values = {"state": new.value, "updated_at": now, **changes}
    if new in UNQUESTIONED:
        values.setdefault("reason", "")
    moved = rows.update(Order, order.pk, values, only_if={"state": old.value})
    if moved:
        for name, value in values.items():
            setattr(order, name, value)
    return moved
