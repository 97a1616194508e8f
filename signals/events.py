"""Events: calls EVENT_HANDLERS with what happened, in the transaction that made it happen."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

EventData = Mapping[str, object]
"""What the event is about, as JSON: text, numbers, booleans, null, lists and objects of these."""
ReadEvents = Callable[[], Sequence[EventData]]
"""Returns the data of each event; called only if somebody wants these events."""
EventHandler = Callable[["EventType", ReadEvents], None]


class EventType(StrEnum):
    """What can happen; the values are the types of the events that subscribers get."""

    SIGNAL_STORED = "signal.stored"
    SIGNAL_OUTCOME = "signal.outcome"
    DECISION_EXECUTED = "decision.executed"
    DECISION_SKIPPED = "decision.skipped"
    POSITION_OPENED = "position.opened"
    POSITION_CLOSED = "position.closed"
    HALT_SET = "halt.set"
    HALT_LIFTED = "halt.lifted"
    HEALTH_CHANGED = "health.changed"
    SENDER_LATE = "sender.late"


def publish(kind: EventType, data: EventData) -> None:
    """Call each function of EVENT_HANDLERS, in order, in the caller's transaction.

    The functions only insert rows; what they raise undoes the caller's transaction.
    """
    publish_each(kind, lambda: [data])


def publish_each(kind: EventType, read: ReadEvents) -> None:
    """Publish many events of a kind at once, as `publish` does each.

    `read` makes their data, if somebody wants them: without a subscription it costs nothing.
    """
    for handler in _handlers(settings.EVENT_HANDLERS):
        handler(kind, read)


@cache
def _handlers(paths: tuple[str, ...]) -> tuple[EventHandler, ...]:
    return tuple(import_string(path) for path in paths)
