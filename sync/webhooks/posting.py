"""One request to a receiver: a new connection to a checked address, with a deadline for all of it.

A receiver is a stranger: it may hang, answer byte by byte or without end, or lie about the length
of its answer. So each request has its own connection, which is closed after it; the answer's status
is what counts, and of its body only the beginning is read. Redirects are not followed. A proxy of
the environment is not used: it would connect to an address that Argo cannot check.
"""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

import certifi
from typing_extensions import override

from sync.webhooks.addresses import InsideAddress, check_address, is_allowed, refusal

MAX_ANSWER_BYTES = 4096
"""The rest of a longer answer is not read."""


class Reply(NamedTuple):
    """A receiver's answer: its status, the beginning of its body, and its `Retry-After`."""

    status: int
    text: str
    retry_after: str | None


class Exchanged(NamedTuple):
    """An answer with its whole body."""

    status: int
    content_type: str
    body: bytes


class NoReply(Exception):
    """There was no answer; the message says why."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float,
    allowed: Collection[str] = (),
) -> Reply:
    """Send `body` with one request, and return the answer.

    All of it, from resolving the name on, takes at most `timeout` seconds; only the resolver may
    take longer. Raises `NoReply`, and `InsideAddress` if the address is not allowed.
    """
    with _answer("POST", url, body, headers, timeout, allowed) as response:
        return _reply(response)


def exchange(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float,
    allowed: Collection[str] = (),
    most: int = MAX_ANSWER_BYTES,
) -> Exchanged:
    """Do the same with any method, and return the answer with its whole body.

    Raises `NoReply` also if the body is cut short, late, or longer than `most` bytes.
    """
    with _answer(method, url, body, headers, timeout, allowed) as response:
        found = response.read(most + 1)
        if len(found) > most:
            raise ValueError(f"the answer has more than {most} bytes")
        return Exchanged(response.status, response.headers.get("Content-Type", ""), found)


@contextmanager
def _answer(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    allowed: Collection[str],
) -> Iterator[http.client.HTTPResponse]:
    """Send a request; give the answer, whose body can be read until the deadline."""
    deadline = time.monotonic() + timeout
    connection = _connection(url, deadline, allowed)
    ends = threading.Timer(timeout, _break_off, (connection,))
    ends.daemon = True
    ends.start()
    try:
        connection.request(method, _path(url), body, {**headers, "Connection": "close"})
        with closing(connection.getresponse()) as response:
            if time.monotonic() >= deadline:  # the head was broken off, too
                raise TimeoutError
            yield response
    except InsideAddress:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() >= deadline
        raise NoReply(f"no answer within {timeout:g} s" if late else _described(error)) from error
    finally:
        ends.cancel()
        connection.close()


def _reply(response: http.client.HTTPResponse) -> Reply:
    """Return the answer. A body that is cut short or late changes nothing: the status is known."""
    text = b""
    with suppress(OSError, http.client.HTTPException, ValueError):
        text = response.read1(MAX_ANSWER_BYTES)
    shown = text.decode(errors="replace").replace("\0", "")
    return Reply(response.status, shown, response.headers.get("Retry-After"))


class _Checked:
    """Connects to an address that was checked."""

    def __init__(self, host: str, port: int, deadline: float, allowed: Collection[str]) -> None:
        self._host, self._port = host, port
        self._deadline, self._allowed = deadline, allowed

    def connected(self) -> socket.socket:
        """Return a connection. Raises OSError, and `InsideAddress` before it connects."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        for *_, address in found:
            check_address(str(address[0]), self._host, self._allowed)
        failure: OSError = OSError(f"{self._host} has no address")
        for family, kind, protocol, _, address in found:
            try:
                return self._connect_to(socket.socket(family, kind, protocol), address)
            except OSError as error:
                failure = error
        raise failure

    def _connect_to(self, made: socket.socket, address: tuple[object, ...]) -> socket.socket:
        try:
            made.settimeout(max(0.001, self._deadline - time.monotonic()))
            made.connect(address)
            self._refuse_this_machine(made)
        except BaseException:
            made.close()
            raise
        return made

    def _refuse_this_machine(self, made: socket.socket) -> None:
        """Refuse a public address that is one of this machine's own."""
        here, there = made.getsockname()[0], made.getpeername()[0]
        if here == there and not is_allowed(self._host, self._allowed):
            raise InsideAddress(refusal(self._host, str(there)))


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, checked: _Checked) -> None:
        super().__init__(host, port)
        self._checked = checked

    @override
    def connect(self) -> None:
        self.sock = self._checked.connected()


class _TLSConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int, checked: _Checked) -> None:
        super().__init__(host, port, context=_context(_authorities()))
        self._checked, self._name = checked, host

    @override
    def connect(self) -> None:
        plain = self._checked.connected()
        self.sock = _context(_authorities()).wrap_socket(
            plain, server_hostname=self._name, do_handshake_on_connect=False
        )
        self.sock.do_handshake()  # from here on the deadline can break it off


def _connection(url: str, deadline: float, allowed: Collection[str]) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    checked = _Checked(host, port, deadline, allowed)
    return _TLSConnection(host, port, checked) if is_tls else _Connection(host, port, checked)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"


def _authorities() -> str:
    return os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()


@cache
def _context(authorities: str) -> ssl.SSLContext:
    is_folder = os.path.isdir(authorities)
    return ssl.create_default_context(
        cafile=None if is_folder else authorities, capath=authorities if is_folder else None
    )


def _break_off(connection: http.client.HTTPConnection) -> None:
    """End a request whose time is over: what waits for its socket gets an error.

    Not by `SSLSocket.shutdown`, after which the other thread would go on without TLS.
    """
    if (open_socket := connection.sock) is not None:
        with suppress(OSError):
            socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


def _described(error: Exception) -> str:
    return f"no answer: {type(error).__name__}: {error}"[:500]
