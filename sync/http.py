"""HTTP connections to Alpine: pooled, kept alive, cheap to use, with a deadline for each answer.

`requests` limits only the wait for each piece of an answer, so an answer that comes byte by byte
would never end. Here the whole answer has a deadline too.
"""

import io
import socket
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import Buffer, override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

ANSWER_TIMEOUT = 30.0
"""Seconds from the end of the request to the end of the answer."""


class Connections:
    """A `requests.Session` for one endpoint; any number of threads may share it.

    Headers, proxies and certificates are the same for every request, so they are worked out once:
    merging and looking them up is nearly half of the cost of a plain `Session.post`. `timeouts`
    are the seconds to connect and between two pieces of the answer.
    """

    def __init__(self, endpoint: str, key: str, size: int, timeouts: tuple[float, float]) -> None:
        session = requests.Session()
        adapter = _DeadlineAdapter(pool_maxsize=size)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.headers.update({"X-API-Key": key, "Content-Type": "application/json"})
        found = session.merge_environment_settings(endpoint, {}, True, None, None)
        session.trust_env = False  # proxies and certificates are known now; ~/.netrc is ignored
        self._options: dict[str, Any] = {**found, "timeout": timeouts}
        self._post = session.prepare_request(requests.Request("POST", endpoint))
        self._session = session
        # Not Session.send: it reads the whole body of a redirect, even if it does not follow it.
        self._adapter = adapter

    def post(self, signal_id: str, body: bytes) -> requests.Response:
        """Send one signal and return the answer, with its body unread; close it.

        Raises `requests.RequestException` if there is no answer.
        """
        request = self._post.copy()
        request.headers["Idempotency-Key"] = signal_id
        request.headers["Content-Length"] = str(len(body))
        request.body = body
        return self._adapter.send(request, **self._options)

    def get(self, url: str) -> requests.Response:
        """Get `url`; the answer and the errors are as with `post`."""
        request = self._session.prepare_request(requests.Request("GET", url))
        return self._adapter.send(request, **self._options)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header, which holds seconds or a date.

    Return None if the header is missing or invalid. See RFC 9110, section 10.2.3.
    """
    if not header:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000" means UTC, from a sender whose own zone is unknown
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class _TimedReader(io.RawIOBase):
    """The reading side of a socket, until a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._timeout = sock.gettimeout()
        self._raw = sock.makefile("rb", buffering=0)

    @override
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(left if self._timeout is None else min(self._timeout, left))
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """The part of a socket that `http.client` needs to read an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, time.monotonic() + ANSWER_TIMEOUT))


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(_TimedSocket(sock), *arguments, **options)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _TLSConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _DeadlineAdapter(HTTPAdapter):
    """Ends every answer after `ANSWER_TIMEOUT` with an ordinary timeout error."""

    @override
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    @override
    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager
