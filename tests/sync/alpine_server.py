"""Alpine on loopback: a real HTTP server that can misbehave in every way the tests need."""

import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from typing_extensions import override

from tests.loopback import serving

Handler = BaseHTTPRequestHandler
Behave = Callable[[Handler], None]
Choose = Callable[[str, int], Behave]
"""Given a signal's id and how often it has come by now, from 1, says what to do."""


def answer(status: int, body: bytes = b"{}", **headers: str) -> Behave:
    """A whole answer."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


accept = answer(201, b'{"status": "stored"}')


def reset(handler: Handler) -> None:
    """The connection is torn down instead of an answer."""
    hard = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
    handler.close_connection = True
    handler.connection.close()


def cut_short(handler: Handler) -> None:
    """The answer promises more than it brings."""
    handler.send_response(201)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status": ')
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """Ten megabytes of answer."""
    answer(201, b"x" * 10_000_000)(handler)


def trickling_head(handler: Handler) -> None:
    """A header that goes on for ever, a byte every now and then."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    _trickle(handler)


def trickling_body(handler: Handler) -> None:
    """A body that goes on for ever, a byte every now and then."""
    handler.send_response(201)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    _trickle(handler)


def _trickle(handler: Handler) -> None:
    handler.close_connection = True
    while True:  # until the caller has gone
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def endless_redirect(handler: Handler) -> None:
    """A redirect whose body goes on until the caller has gone."""
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", str(2**40))
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"x" * 65536)


def silent(handler: Handler) -> None:
    """No answer at all, until the caller gives up."""
    handler.connection.recv(1)
    handler.close_connection = True


@dataclass(repr=False)  # hypothesis prints what a test was given, and would warn of its length
class Alpine:
    """What came, and how to behave."""

    port: int
    scheme: str = "http"
    choose: Choose = lambda signal_id, times: accept
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/api/signals"

    def always(self, behave: Behave) -> None:
        self.choose = lambda signal_id, times: behave


@contextmanager
def running(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Alpine]:
    """Alpine, from now on; without it nobody answers on its port."""

    class Post(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            signal_id = self.headers["Idempotency-Key"]
            with alpine.lock:
                alpine.requests.append((dict(self.headers), body))
                alpine.ports.append(self.client_address[1])
                alpine.times[signal_id] += 1
                alpine.at_once += 1
                alpine.most_at_once = max(alpine.most_at_once, alpine.at_once)
                behave = alpine.choose(signal_id, alpine.times[signal_id])
            try:
                behave(self)
            finally:
                with alpine.lock:
                    alpine.at_once -= 1

    with serving(Post, port, tls) as listening:
        alpine = Alpine(listening, "https" if tls else "http")
        yield alpine
