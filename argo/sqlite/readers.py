"""Connections that only read, for what is looked up at nearly every request.

A lease of the pool and Django's cursor cost several times what such a look-up does.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

MOST_KEPT = 4
LOCK_TIMEOUT = "PRAGMA busy_timeout=100"
"""A reader of WAL waits for no writer; for the rare other locks it waits this long at most."""


class Readers:
    """Idle connections of one file; any number of threads may read at the same time."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._idle: deque[Any] = deque()

    def read(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT. Raises what the database raises."""
        connection = self._taken()
        try:
            with closing(connection.execute(statement, parameters)) as cursor:
                rows: list[tuple[Any, ...]] = cursor.fetchall()
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return rows

    def everything(self) -> tuple[object, ...]:
        """Return every object that holds an idle connection."""
        return tuple(self._idle)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> Any:  # noqa: ANN401  # a connection, of either SQLite library
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute(LOCK_TIMEOUT).close()
            return connection

    def _give_back(self, connection: Any) -> None:  # noqa: ANN401
        if len(self._idle) < MOST_KEPT:
            self._idle.append(connection)
        else:
            connection.close()
