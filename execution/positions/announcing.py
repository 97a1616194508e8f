"""Publishes that a position was opened or closed. Those of a replay are not announced."""

from datetime import datetime
from decimal import Decimal

from execution.models import Position
from execution.money import exact_text
from execution.types import REPLAY
from signals.events import EventType, publish_each
from signals.models import Signal
from signals.timestamps import utc_text

NUMBERS = (
    "quantity", "closed_quantity", "entry_price", "exit_price", "stop", "target", "fees", "profit",
)  # fmt: skip
TEXTS = ("account", "status", "symbol", "side", "exit_reason")
TIMES = ("opened_at", "expires_at", "closed_at")


def announce_opened(position: Position) -> None:
    """Publish `position.opened`."""
    _publish(EventType.POSITION_OPENED, position)


def announce_closed(position: Position) -> None:
    """Publish `position.closed`."""
    _publish(EventType.POSITION_CLOSED, position)


def _publish(kind: EventType, position: Position) -> None:
    if position.account != REPLAY:
        publish_each(kind, lambda: [_data(position)])


def _data(position: Position) -> dict[str, object]:
    signal_id = Signal.objects.values_list("signal_id", flat=True).get(pk=position.pk)
    return {
        "signal_id": signal_id,
        **{name: str(getattr(position, name)) for name in TEXTS},
        **{name: _number(getattr(position, name)) for name in NUMBERS},
        **{name: _time(getattr(position, name)) for name in TIMES},
    }


def _number(value: Decimal | None) -> str | None:
    return None if value is None else exact_text(value)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)
