"""One client's connection: uvicorn's, with limits for clients that are slow or send too much."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from argo.web.ended import Ended
from argo.web.leaving import leaving
from argo.web.limits import (
    EVICTABLE_AFTER,
    FRAMING_BYTES,
    FRAMING_RATIO,
    HEAD_BYTES,
    LINGER_TIMEOUT,
    MAX_HEADERS,
    MAX_PIPELINED,
    REFUSED_AT_ONCE,
    STOP_GRACE,
    STREAM_BYTES,
    WRITE_TIMEOUT,
    Limits,
)
from argo.web.refusal import Refusal

CONNECTION = "argo.connection"
"""The key of the ASGI scope with the `Connection`."""
NOT_HTTP = Refusal(400, "The request is not valid HTTP.")
LATE_HEAD = Refusal(408, "The head of the request did not arrive in time.")
LARGE_HEAD = Refusal(431, f"The headers are larger than {HEAD_BYTES} bytes, or too many.")
SMALL_CHUNKS = Refusal(400, "The chunks of the body are too small for its length.")
TOO_MANY = Refusal(503, "Too many connections are open: try again in a moment.")


class TooMuch(Exception):
    """The parser must stop: the client has sent more than it may."""


class Connection(HttpToolsProtocol):
    """Reads requests; each has a deadline for its head, and limits for what is beside its body."""

    def __init__(self, limits: Limits, ended: Ended, **of_uvicorn: Any) -> None:  # noqa: ANN401
        super().__init__(**of_uvicorn)
        self._limits, self._ended = limits, ended
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_head = True
        self._is_deaf = False
        self._raw = self._size = 0
        self._part = bytearray()
        self.since = 0.0
        self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; another connection makes room, or the client is refused, if there are too many."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=STREAM_BYTES)
        _limit_waiting(transport.get_extra_info("socket"))
        self.since = self.loop.time()
        self._await_head()
        if len(self.connections) > self._limits.connections and not self._evict():
            self._refuse_connection()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free what the connection holds."""
        super().connection_lost(exc)
        self._stop_timer()
        self._is_deaf = self.is_lost = True
        if self.on_lost is not None:
            self.on_lost()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
            self._pass_part()
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(LARGE_HEAD if isinstance(error.__context__, TooMuch) else NOT_HTTP)
        self._raw += len(data)
        if self._raw > FRAMING_BYTES + FRAMING_RATIO * self._size:
            self._refuse(LARGE_HEAD if self._is_head else SMALL_CHUNKS)
        self._await_head()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._is_head, self._raw, self._size = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; leave out one after the body."""
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the application read the body and answer."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            raise TooMuch
        if self.parser.should_upgrade():
            return
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TooMuch
        self._is_head = False
        self._stop_timer()
        self.scope[CONNECTION] = self  # type: ignore[literal-required]
        super().on_headers_complete()
        if leaving.is_set():  # the client's next request goes elsewhere
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body: many small chunks may come at once."""
        self._size += len(body)
        self._part += body

    def on_message_complete(self) -> None:
        """Pass the end of the body on."""
        self._pass_part()
        if not self.parser.should_upgrade():
            super().on_message_complete()
            self._is_head = True

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        super().on_response_complete()
        self.since = self.loop.time()

    def shutdown(self) -> None:
        """End an idle connection; a request that is being sent has a few seconds more."""
        super().shutdown()
        self.loop.call_later(STOP_GRACE, self._end_unfinished)

    def abort(self) -> None:
        """Close at once; the application finds the client gone."""
        self.transport.abort()

    @property
    def is_unfinished(self) -> bool:
        """Return whether the client, not Argo, must act next."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    @property
    def has_received_all(self) -> bool:
        """Return whether the body of the request, and of each before it, has arrived."""
        return not self.cycle.more_body

    # --- Steps -------------------------------------------------------------------------------
    def _pass_part(self) -> None:
        """Pass on what came of the body. Each call copies what waits, so there must be few."""
        if self._part:
            part, self._part = bytes(self._part), bytearray()
            super().on_body(part)

    def _await_head(self) -> None:
        """Start the deadline of a head that has begun, unless an answer must be given before."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if self._is_head and is_idle and not self._is_deaf and self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_timeout, self._end_late)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_late(self) -> None:
        self._ended.count("did not send the head of a request in time")
        if self._raw:
            self._refuse(LATE_HEAD)
        else:
            self.transport.close()

    def _end_unfinished(self) -> None:
        if self.is_unfinished:
            self.transport.close()

    def _evict(self) -> bool:
        """Close the connection that has waited longest for its client."""
        waiting = (each for each in self.connections if isinstance(each, Connection))
        unfinished = (each for each in waiting if each.is_unfinished)
        oldest = min(unfinished, key=lambda each: each.since, default=self)
        if self.since - oldest.since < EVICTABLE_AFTER:
            return False
        self._ended.count("made room for others")
        self.connections.discard(oldest)
        oldest.abort()
        return True

    def _refuse_connection(self) -> None:
        self._ended.count("were refused: too many connections")
        if len(self.connections) > self._limits.connections + REFUSED_AT_ONCE:
            self.abort()
        else:
            self._refuse(TOO_MANY)

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the request as if it asked for no other protocol, as HTTP allows: Java's client asks
        so each time, and the parser would leave out the body."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(NOT_HTTP)
            return
        self.parser = httptools.HttpRequestParser(self)
        lines = [b"%b %b HTTP/1.1" % (method, self.url)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer without Django and close, but after the requests that are complete."""
        if self._is_deaf:
            return
        self._is_deaf = True
        self._stop_timer()
        if self.is_unfinished:
            self._answer(refusal)
        else:
            self.cycle.keep_alive = False

    def _answer(self, refusal: Refusal) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(refusal.answer())
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_TIMEOUT, self.transport.close)


def _limit_waiting(client: socket.socket) -> None:
    """Let the system close the connection of a client that takes nothing of what waits for it."""
    is_tcp = client.family != socket.AF_UNIX
    if is_tcp and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it
        milliseconds = int(WRITE_TIMEOUT * 1000)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
