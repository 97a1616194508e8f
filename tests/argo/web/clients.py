"""Clients that send exactly the bytes of a test, and the server in a thread of the test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from wsgiref.types import WSGIApplication

from argo.web.limits import Limits
from argo.web.readers import Readers
from argo.web.relay import Relay
from argo.web.server import Server, listen, listen_on

LIMITS = Limits(
    threads=4, others=3, connections=1000, head_timeout=20.0, read_timeout=20.0, body_bytes=2**20,
    bodies_bytes=2**23,
)  # fmt: skip
PATIENCE = 30.0
"""Seconds until a test gives up on an answer."""


@dataclass(frozen=True)
class Served:
    """A server, and how to stop it."""

    port: int
    server: Server
    thread: threading.Thread

    def stop(self) -> None:
        """Ask it to stop."""
        self.server.should_exit = True

    def wait_until_empty(self) -> None:
        """Wait until no connection is open, and no request is handled any more."""
        pause, state = threading.Event(), self.server.server_state
        for _ in range(2000):
            if not (state.connections or state.tasks):
                return
            pause.wait(0.01)
        raise TimeoutError("a connection stays open, or a request is still handled")

    def connect(self) -> socket.socket:
        return connect(self.port)

    def ask(self, data: bytes) -> bytes:
        """Send the bytes on a connection of their own; return all that comes back."""
        return ask(self.port, data)


@contextmanager
def served(
    application: WSGIApplication,
    port: int,
    limits: Limits = LIMITS,
    relay: Relay | None = None,
    readers: Readers | None = None,
) -> Iterator[Served]:
    """Run the server in a thread, for the block."""
    server = Server(application, limits, relay, readers)
    with _in_thread(server, listen("127.0.0.1", port)) as thread:
        running = Served(port, server, thread)
        wait_for_port(port)
        running.wait_until_empty()
        yield running


@contextmanager
def pages_served(application: WSGIApplication, path: str) -> Iterator[None]:
    """Run the server of pages in a thread, for the block, on a Unix socket."""
    server = Server(application, LIMITS, is_behind_relay=True)
    with _in_thread(server, listen_on(path)):
        yield


@contextmanager
def _in_thread(server: Server, listener: socket.socket) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=server.run, args=[[listener]])
    thread.start()
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not server.close()


def wait_for_port(port: int) -> None:
    pause = threading.Event()
    for _ in range(600):
        try:
            connect(port).close()
        except ConnectionRefusedError:
            pause.wait(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on {port}")


def connect(port: int, *, receive: int = 2**20) -> socket.socket:
    """Connect with a buffer of `receive` bytes for what comes back."""
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    try:
        client.connect(("127.0.0.1", port))
    except OSError:
        client.close()
        raise
    return client


def ask(port: int, data: bytes) -> bytes:
    with connect(port) as client:
        client.sendall(data)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    while part := client.recv(2**16):
        found += part
    return found


def read_until(client: socket.socket, end: bytes) -> bytes:
    """Return what comes up to `end`."""
    found = b""
    while end not in found:
        part = client.recv(2**16)
        assert part, found
        found += part
    return found
