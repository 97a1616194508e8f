"""Alpine on loopback: a real HTTP server that can misbehave in every way the tests need."""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

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


def silent(handler: Handler) -> None:
    """No answer at all, until the caller gives up."""
    handler.connection.recv(1)
    handler.close_connection = True


@dataclass
class Alpine:
    """What came, and how to behave."""

    port: int
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
        return f"http://127.0.0.1:{self.port}/api/signals"

    def always(self, behave: Behave) -> None:
        self.choose = lambda signal_id, times: behave


@contextmanager
def running(port: int = 0) -> Iterator[Alpine]:
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

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        @override
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a connection that was torn down is what the test wanted

    server = Server(("127.0.0.1", port), Post)
    alpine = Alpine(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield alpine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
