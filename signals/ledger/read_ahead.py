"""Reads the next batch of a journal while the database stores the one before."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

from signals.journal import JournalPosition

T = TypeVar("T")


class Reading(Generic[T]):
    """Calls `read` for one position after another, and may begin with the next one early."""

    def __init__(
        self, read: Callable[[JournalPosition], T], thread: ThreadPoolExecutor | None
    ) -> None:
        self._read = read
        self._thread = thread
        self._begun: tuple[JournalPosition, Future[T]] | None = None

    def batch(self, position: JournalPosition) -> T:
        """Return what is at the position. Raises what `read` raises."""
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == position:
            return begun[1].result()
        return self._read(position)

    def begin(self, position: JournalPosition) -> None:
        """Begin to read there; it is of no use if the next batch turns out to be elsewhere."""
        if self._thread is not None:
            self._begun = position, self._thread.submit(self._read, position)


@contextmanager
def reading(read: Callable[[JournalPosition], T], *, ahead: bool) -> Iterator[Reading[T]]:
    """Read within the block; `ahead` allows a thread, which ends with it.

    It pays where the database is a server, for whose work this process waits. With SQLite the work
    is done in this process, and a thread beside it would only take turns with it.
    """
    if not ahead:
        yield Reading(read, None)
        return
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        yield Reading(read, thread)
