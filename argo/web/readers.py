"""Serves readers of the feed in the event loop: none of them takes a thread while it waits."""

from collections.abc import Callable

from argo.web.answer import Answer
from argo.web.body import ClientGone
from argo.web.connection import Connection
from argo.web.news import News, Source
from argo.web.slot import Places, Slot
from signals.feed.formats import COMMENT, RETRY, as_page, as_stream
from signals.feed.waiting import Asked

COMMENT_EVERY = 15.0
"""Seconds between two signs of life of a stream; then its reader's key is looked up again too."""
STREAM_BUFFER = 64 * 1024
"""Bytes that wait for a slow reader before its next events are read."""


class Readers:
    """The readers who wait in this process."""

    def __init__(self, source: Source, most: int, most_each: int) -> None:
        self.places = Places(most, most_each)
        self.news = News(source)

    def slot(self) -> Slot:
        """Return the way in for one request."""
        return Slot(self.places)

    async def serve(self, asked: Asked, answer: Answer, connection: Connection) -> None:
        """Answer a reader whom the view has let in. Raises ClientGone."""
        if asked.seconds is None:
            await self._stream(asked, answer, connection)
        else:
            await self._poll(asked, asked.seconds, answer, connection)

    async def _poll(
        self, asked: Asked, seconds: float, answer: Answer, connection: Connection
    ) -> None:
        """Send the first events that come, or none after `seconds`."""
        clock, cursor = connection.loop.time, asked.cursor
        deadline = clock() + seconds
        while True:
            end = self.news.end
            found = await self.news.read(cursor, asked.limit, as_page)
            cursor = found.batch.after
            if found.batch.events or clock() >= deadline or self.news.is_over:
                break
            if found.batch.is_last:
                await self.news.wait(connection, end, deadline - clock())
        await answer.begin(length=len(found.data))
        await answer.send(found.data, more=False)

    async def _stream(self, asked: Asked, answer: Answer, connection: Connection) -> None:
        """Send events until the reader leaves, may not read any more, or the server stops."""
        connection.transport.set_write_buffer_limits(high=STREAM_BUFFER)
        await answer.begin(length=None)
        await answer.send(RETRY, more=True)
        due = _Due(connection.loop.time)
        cursor = asked.cursor
        while not self.news.is_over:
            end = self.news.end
            found = await self.news.read(cursor, asked.limit, as_stream)
            cursor = found.batch.after
            if found.data:
                await answer.send(found.data, more=True)
            if found.batch.is_last and not found.data:
                await self.news.wait(connection, end, due.left())
            if connection.is_lost:
                raise ClientGone
            if due.is_now():
                if not await self.news.ask(asked.may_read):
                    break
                await answer.send(COMMENT, more=True)
        await answer.send(b"", more=False)

    def stop(self) -> None:
        """End all readers: the server stops."""
        self.news.stop()

    def close(self) -> None:
        """Let the thread end."""
        self.news.close()


class _Due:
    """Says when the next sign of life is due."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock() + COMMENT_EVERY

    def left(self) -> float:
        """Return the seconds until then."""
        return self._at - self._clock()

    def is_now(self) -> bool:
        """Return whether it is due; then the next one is due later."""
        if self.left() > 0:
            return False
        self._at = self._clock() + COMMENT_EVERY
        return True
