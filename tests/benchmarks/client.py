"""An HTTP client that uses little processor time: it shares the cores with the server."""

import selectors
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.benchmarks.rounds import seconds

Address = tuple[str, int]
CONNECTIONS = 8
RECEIVE_SIZE = 2**16


def request(path: str, body: bytes, key: str) -> bytes:
    """Return the bytes of a complete POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-API-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def time_posts(address: Address, requests: Sequence[bytes]) -> float:
    """Return the seconds until all are answered, over kept connections, from another process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_timed, address, requests).result()


class Connection:
    """One kept connection with at most one open request."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""

    def send(self, data: bytes) -> None:
        self._answer = b""
        self.socket.sendall(data)

    def receive(self) -> bytes | None:
        """Return the body once it is complete, None before. Raises `RuntimeError` on an error."""
        received = self.socket.recv(RECEIVE_SIZE)
        self._answer += received
        if not received or not self._answer.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"The server answered {self._answer[:500]!r}")
        head, _, body = self._answer.partition(b"\r\n\r\n")
        return body if len(body) == _length(head) else None

    def post(self, data: bytes) -> bytes:
        """Send a request and return the body of its answer."""
        self.send(data)
        while (body := self.receive()) is None:
            pass
        return body

    def close(self) -> None:
        self.socket.close()


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


def _timed(address: Address, requests: Sequence[bytes]) -> float:
    connections = [Connection(address) for _ in range(CONNECTIONS)]
    try:
        return seconds(partial(_post_all, connections, iter(requests)))
    finally:
        for connection in connections:
            connection.close()


def _post_all(connections: Sequence[Connection], requests: Iterator[bytes]) -> None:
    with selectors.DefaultSelector() as selector:
        for connection, data in zip(connections, requests, strict=False):
            connection.send(data)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _ in selector.select():
                if key.data.receive() is None:
                    continue
                data_or_end = next(requests, None)
                if data_or_end is None:
                    selector.unregister(key.fileobj)
                else:
                    key.data.send(data_or_end)
