"""Readers of the feed's stream that wait beside a measurement."""

import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.conf import settings

PATIENCE = 60.0
LOOK_EVERY = 0.2


def connected(key: str) -> socket.socket:
    """Return a connection to the stream, whose first event is the next one that comes."""
    client = socket.create_connection((settings.WEB_HOST, settings.WEB_PORT), PATIENCE)
    client.sendall(f"GET /api/feed/stream?after=now HTTP/1.1\r\nHost: localhost\r\n"
                   f"X-API-Key: {key}\r\n\r\n".encode())  # fmt: skip
    assert client.recv(2**16).startswith(b"HTTP/1.1 200")
    return client


@contextmanager
def reading(keys: Sequence[str], count: int) -> Iterator[None]:
    """Let so many readers read whatever comes, with these keys in turn."""
    with ExitStack() as stack:
        ready = stack.enter_context(selectors.DefaultSelector())
        for number in range(count):
            client = stack.enter_context(connected(keys[number % len(keys)]))
            ready.register(client, selectors.EVENT_READ)
        done = threading.Event()
        thread = threading.Thread(target=_read_until, args=(done, ready))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _read_until(done: threading.Event, ready: selectors.BaseSelector) -> None:
    while not done.is_set():
        for key, _ in ready.select(LOOK_EVERY):
            key.fileobj.recv(2**16)  # type: ignore[union-attr]  # it is a socket
