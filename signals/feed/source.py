"""The feed as the web server's thread reads it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from signals.feed.batch import Batch
from signals.feed.cursor import Cursor
from signals.feed.places import end_of_feed
from signals.feed.reading import read

P = ParamSpec("P")
T = TypeVar("T")


def returns_connection(function: Callable[P, T]) -> Callable[P, T]:
    """Give the database connection back after each call, as after a request."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return called


class FeedSource:
    """Reads the feed of the default database."""

    @returns_connection
    def end(self) -> int:
        """Return the index of the last event."""
        return end_of_feed()

    @returns_connection
    def read(self, cursor: Cursor, limit: int) -> Batch:
        """Return the next events."""
        return read(cursor, limit)
