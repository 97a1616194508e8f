"""Watches the end of the feed while somebody waits, and wakes everybody who does."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from argo.web.body import ClientGone
from argo.web.connection import Connection
from argo.web.threads import Threads
from signals.feed.batch import Batch
from signals.feed.cursor import Cursor

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.1
"""Seconds between two looks while somebody waits; nobody looks otherwise."""
LOOK_AFTER_ERROR = 2.0
SHARED = 32
"""The last reads that are kept: readers at the same place share one."""
UNKNOWN = -1
"""The end of the feed before the first look."""


class Source(Protocol):
    """The feed, as a thread reads it; what it raises is logged, and tried again."""

    def end(self) -> int:
        """Return the index of the last event."""

    def read(self, cursor: Cursor, limit: int) -> Batch:
        """Return the next events."""


Encode = Callable[[Batch], bytes]


class Read:
    """What was read at a place, and its encoding."""

    def __init__(self, batch: Batch, encode: Encode) -> None:
        self.batch, self.data = batch, encode(batch)


class News:
    """One watcher and one thread that reads, for all readers of a process."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._thread = Threads(1)
        self._waiting: set[asyncio.Future[None]] = set()
        self._shared: dict[tuple[Any, ...], asyncio.Task[Read]] = {}
        self._watcher: asyncio.Task[None] | None = None
        self.end = UNKNOWN
        self.is_over = False

    async def read(self, cursor: Cursor, limit: int, encode: Encode) -> Read:
        """Return the next events and their encoding. Waits while the database does not answer."""
        key = (cursor.text(), limit, encode, self.end)
        while True:
            task = self._shared.get(key) or self._begin(key, cursor, limit, encode)
            try:
                return await asyncio.shield(task)
            except Exception as error:  # noqa: BLE001  # whatever a database's driver may raise
                self._shared.pop(key, None)
                logger.warning("The feed cannot be read; trying again: %s", error)
            await asyncio.sleep(LOOK_AFTER_ERROR)

    async def wait(self, connection: Connection, end: int, seconds: float) -> None:
        """Wait until the feed does not end at `end` any more, for `seconds` at most.

        Raises ClientGone.
        """
        if self.end == end and not self.is_over and not connection.is_lost:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            timer = connection.loop.call_later(max(0.0, seconds), _wake, waiter)
            connection.on_lost = partial(_wake, waiter)
            self._watch()
            try:
                await waiter
            finally:
                timer.cancel()
                connection.on_lost = None
                self._waiting.discard(waiter)
        if connection.is_lost:
            raise ClientGone

    async def ask(self, question: Callable[[], bool]) -> bool:
        """Return what the function returns on the thread; True if the database fails."""
        try:
            return bool(await self._thread.run(question))
        except Exception as error:  # noqa: BLE001  # as above
            logger.warning("The feed's readers could not be checked: %s", error)
            return True

    def stop(self) -> None:
        """Wake everybody: the server stops."""
        self.is_over = True
        self._wake_all()

    def close(self) -> None:
        """Let the thread end."""
        self._thread.close(1.0)

    def _begin(
        self, key: tuple[Any, ...], cursor: Cursor, limit: int, encode: Encode
    ) -> "asyncio.Task[Read]":
        while len(self._shared) >= SHARED:
            del self._shared[next(iter(self._shared))]
        reading = self._thread.run(lambda: Read(self._source.read(cursor, limit), encode))
        task = self._shared[key] = asyncio.get_running_loop().create_task(reading)
        return task

    def _watch(self) -> None:
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Look for a new end as long as anybody waits."""
        while self._waiting and not self.is_over:
            pause = LOOK_EVERY
            try:
                end = await self._thread.run(self._source.end)
            except Exception as error:  # noqa: BLE001  # as above
                logger.warning("The end of the feed cannot be read; trying again: %s", error)
                pause = LOOK_AFTER_ERROR
            else:
                if end != self.end:
                    self.end = end
                    self._wake_all()
            await asyncio.sleep(pause)

    def _wake_all(self) -> None:
        for waiter in self._waiting:
            _wake(waiter)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
