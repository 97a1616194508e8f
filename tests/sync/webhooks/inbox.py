"""A receiver of events on loopback: a real HTTP server that keeps what comes, and misbehaves."""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from typing_extensions import override

from tests.loopback import serving
from tests.sync.alpine_server import Behave, Handler, answer

HOST = "127.0.0.1"
take = answer(204, b"")


def longer_than_it_says(handler: Handler) -> None:
    """Send more than the answer announces."""
    handler.send_response(200)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok" + b"HTTP/1.1 500 Lie\r\n\r\n" * 100)


def close(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


class Got(NamedTuple):
    """A request that came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Inbox:
    """What came, and what is answered: `choose` gets the id and the number of its tries so far."""

    port: int = 0
    scheme: str = "http"
    choose: Callable[[str, int], Behave] = lambda event_id, times: take
    got: list[Got] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    came: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hook?from=argo"

    def always(self, behave: Behave) -> None:
        self.choose = lambda event_id, times: behave


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Inbox]:
    """Run a receiver within the block."""
    inbox = Inbox(scheme="https" if tls else "http")

    class Post(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with inbox.lock:
                got = Got({name.lower(): text for name, text in self.headers.items()}, body)
                inbox.got.append(got)
                name = got.headers.get("webhook-id", "")
                inbox.times[name] += 1
                behave = inbox.choose(name, inbox.times[name])
            inbox.came.set()
            behave(self)

    with serving(Post, tls=tls) as port:
        inbox.port = port
        yield inbox
