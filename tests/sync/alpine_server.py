"""Alpine on loopback: a real HTTP server that misbehaves in every way that the tests need."""

import json
import random
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
"""Returns the behaviour for a signal's id and the number of its requests so far, from 1."""


def answer(status: int, body: bytes = b"{}", **headers: str) -> Behave:
    """Return a behaviour that sends a whole answer."""

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
    """Reset the connection instead of answering."""
    hard = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
    handler.close_connection = True
    handler.connection.close()


def cut_short(handler: Handler) -> None:
    """Send less than the answer announces."""
    handler.send_response(201)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status": ')
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """Send an answer of ten megabytes."""
    answer(201, b"x" * 10_000_000)(handler)


def trickling_head(handler: Handler) -> None:
    """Send a header that never ends, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    _trickle(handler)


def trickling_body(handler: Handler) -> None:
    """Send a body that never ends, one byte at a time."""
    handler.send_response(201)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    _trickle(handler)


def _trickle(handler: Handler) -> None:
    handler.close_connection = True
    while True:  # until the caller closes the connection
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def endless_redirect(handler: Handler) -> None:
    """Send a redirect whose body does not end before the caller closes the connection."""
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", str(2**40))
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"x" * 65536)


def silent(handler: Handler) -> None:
    """Send nothing until the caller gives up."""
    handler.connection.recv(1)
    handler.close_connection = True


def slow(shortest: float, longest: float | None = None) -> Behave:
    """Return a behaviour that accepts after a time, random if `longest` is given; in seconds."""

    def behave(handler: Handler) -> None:
        time.sleep(random.uniform(shortest, longest or shortest))
        accept(handler)

    return behave


@dataclass(repr=False)  # hypothesis prints the arguments of a test, and would warn of their length
class Alpine:
    """The requests that came, and the behaviour to choose."""

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
    """Run Alpine for the time of the block; outside it nobody answers on its port."""

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
