"""How a request for the feed is handed to a web server that lets readers wait without a thread."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from argo.errors import Unavailable
from signals.feed.cursor import Cursor

HANDOVER = "argo.feed"
"""The key of the WSGI environment with a `Handover`, if the web server has one."""
RETRY_AFTER = 5
"""Seconds after which a reader who was refused should try again."""


class Asked(NamedTuple):
    """What a reader who may wait has asked for.

    `seconds` is how long to wait for the first event; None asks for a stream. `may_read` says
    whether the reader still may read; it asks the database.
    """

    cursor: Cursor
    limit: int
    seconds: float | None
    who: str
    may_read: Callable[[], bool]


class Handover(Protocol):
    """Takes over a request; what it sends replaces the body of the view's answer."""

    def take(self, asked: Asked) -> None:
        """Let the reader wait. Raises TooManyReaders."""


class TooManyReaders(Unavailable):
    """As many readers wait as the settings allow."""
