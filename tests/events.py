"""A handler of events that keeps them: `settings.EVENT_HANDLERS = (tests.events.COLLECT,)`."""

from typing import Any

from signals.events import EventType, ReadEvents

COLLECT = "tests.events.collect"
published: list[tuple[str, Any]] = []
"""What was published: empty it before a test."""


def collect(kind: EventType, read: ReadEvents) -> None:
    published.extend((kind.value, data) for data in read())


def of(kind: str) -> list[Any]:
    """Return the data of the events of this type."""
    return [data for name, data in published if name == kind]
