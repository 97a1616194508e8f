"""The answer of a WSGI application to one request, made on a thread and sent by the event loop."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any
from wsgiref.types import WSGIApplication

from asgiref.typing import ASGISendCallable

from argo.web.body import ClientGone
from argo.web.connection import Connection
from argo.web.limits import SPARE_BYTES, STREAM_BYTES, WRITE_TIMEOUT

Headers = Sequence[tuple[str, str]]
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Answer:
    """An answer. `slow_clients` limits how many threads may wait for clients that read slowly."""

    def __init__(
        self,
        connection: Connection,
        send: ASGISendCallable,
        slow_clients: threading.BoundedSemaphore,
        *,
        closes: bool,
    ) -> None:
        self._connection, self._send, self._slow_clients = connection, send, slow_clients
        self._closes = closes
        self._status = 0
        self._headers: Headers = ()

    def make(self, application: WSGIApplication, environ: dict[str, Any]) -> bytes:
        """Call the application; stream a long answer, and return the rest of its body, or all.

        Runs on a thread. Raises ClientGone if the client leaves or reads too slowly.
        """
        result = application(environ, self._start)
        try:
            return self._body(result)
        except ClientGone:
            self._connection.loop.call_soon_threadsafe(self._connection.abort)
            raise
        finally:
            close = getattr(result, "close", None)
            if close:
                close()

    @property
    def is_success(self) -> bool:
        """Return whether the application said 200."""
        return self._status == HTTPStatus.OK

    async def begin(self, *, length: int | None = -1) -> None:
        """Send the status and the headers, unless they were sent.

        `length` replaces that of the body; None leaves it out, because the body has no end yet.
        """
        if not self._status:
            return
        if length != -1:
            self._set_length(length)
        headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in self._headers]
        if self._status in WITHOUT_BODY:
            headers = [each for each in headers if each[0].lower() != b"content-length"]
        if self._closes:
            headers.append((b"connection", b"close"))
        status, self._status = self._status, 0
        await self._send(
            {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
        )

    async def send(self, data: bytes, *, more: bool) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    def _start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:  # noqa: ANN401  # WSGI
        self._status, self._headers = int(status[:3]), headers
        return _write

    def _body(self, result: Iterable[bytes]) -> bytes:
        parts = iter(result)
        first = next(parts, b"")  # an application that is a generator starts its answer here
        if not self._status:
            raise RuntimeError("The application did not call start_response.")
        if self._status in WITHOUT_BODY:
            return b""
        if self._length() <= STREAM_BYTES:
            return b"".join([first, *parts])
        self._stream(chain([first], parts))
        return b""

    def _set_length(self, length: int | None) -> None:
        headers = [each for each in self._headers if each[0].lower() != "content-length"]
        self._headers = headers + ([("Content-Length", str(length))] if length is not None else [])

    def _length(self) -> float:
        lengths = (int(text) for name, text in self._headers if name.lower() == "content-length")
        return next(lengths, float("inf"))

    def _stream(self, parts: Iterator[bytes]) -> None:
        self._wait(self.begin())
        for part in parts:
            for start in range(0, len(part), SPARE_BYTES):
                self._wait(self.send(part[start : start + SPARE_BYTES], more=True))

    def _wait(self, sending: Coroutine[Any, Any, None]) -> None:
        """Wait until a part is sent, so that no more than one waits for its client."""
        if not self._connection.flow.write_paused:
            self._pass(sending)
            return
        if not self._slow_clients.acquire(blocking=False):
            sending.close()
            raise ClientGone
        try:
            self._pass(sending)
        finally:
            self._slow_clients.release()

    def _pass(self, sending: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(sending, self._connection.loop)
        try:
            future.result(WRITE_TIMEOUT)
        except TimeoutError:
            future.cancel()
            raise ClientGone from None
        if self._connection.is_lost:
            raise ClientGone


def _write(data: bytes) -> None:
    raise NotImplementedError("Return the body; the `write` of old WSGI applications is missing.")
