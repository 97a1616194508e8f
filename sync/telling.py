"""Tells people of events: those that NOTIFY_EVENTS names."""

from collections.abc import Mapping

from django.conf import settings

from signals.events import EventType, ReadEvents
from sync.notify import notify

TITLES: dict[EventType, str] = {
    EventType.SIGNAL_STORED: "Signal: {action} {symbol}",
    EventType.SIGNAL_OUTCOME: "Outcome of {action} {symbol}: {outcome}",
    EventType.DECISION_EXECUTED: "Executed: {action} {symbol} on {account}",
    EventType.DECISION_SKIPPED: "Skipped: {action} {symbol} on {account}",
    EventType.POSITION_OPENED: "Opened: {side} {quantity} {symbol} on {account}",
    EventType.POSITION_CLOSED: "Closed: {side} {quantity} {symbol} on {account}",
    EventType.HALT_SET: "Trading on {account} is halted: {reason}",
    EventType.HALT_LIFTED: "A halt of {account} is lifted: {reason}",
}


def tell(kind: EventType, read: ReadEvents) -> None:
    """Queue a message for each event that people want to be told of; one of EVENT_HANDLERS."""
    if kind in settings.NOTIFY_EVENTS:
        for data in read():
            notify(_title(kind, data), _body(data), about=kind, data=data)


def _title(kind: EventType, data: Mapping[str, object]) -> str:
    """Return the title; the type alone for an event that has another form."""
    try:
        return TITLES[kind].format_map(data)
    except KeyError:
        return kind.value


def _body(data: Mapping[str, object]) -> str:
    shown = {name: value for name, value in data.items() if value not in (None, "", [], {})}
    return "\n".join(f"{name}: {value}" for name, value in shown.items())
