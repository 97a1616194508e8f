"""What one read of the feed gives. It needs no tables: the web server imports it too."""

from typing import NamedTuple

from signals.events import EventType
from signals.feed.cursor import Cursor


class Event(NamedTuple):
    """An event: its type, its JSON, and the cursor with which a reader goes on behind it."""

    type: EventType
    body: bytes
    cursor: str


class Batch(NamedTuple):
    """The next events, and the cursor behind them.

    `is_last` says that the feed has no more.
    """

    events: list[Event]
    after: Cursor
    is_last: bool
