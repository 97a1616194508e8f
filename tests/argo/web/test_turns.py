"""What takes long leaves a thread to single signals, however often somebody asks for it."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from wsgiref.types import StartResponse

import pytest

from argo.web.limits import SPARE_BYTES
from tests.argo.web.clients import LIMITS, Served, connect, read_all, served
from tests.argo.web.echo import application

HOST = b"Host: a.example\r\nConnection: close\r\n"
READY = b"GET /api/health/ready HTTP/1.1\r\n" + HOST + b"\r\n"
SLOW = b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n"


def post(size: int, more: bytes = b"") -> bytes:
    head = b"POST /api/signals HTTP/1.1\r\n" + HOST + more
    return head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size


QUICK = {"a signal": post(9), "the largest signal": post(SPARE_BYTES), "ready": READY,
         "an alert": post(9).replace(b"api/signals", b"hooks/abc")}  # fmt: skip
OTHERS = {
    "a large body": post(SPARE_BYTES + 1),
    "a sender who waits": post(9, b"Prefer: wait=9\r\n"),
    "another address": post(9).replace(b"signals", b"signals/batch"),
    "another method": READY.replace(b"GET", b"POST"),
    "a question": READY.replace(b"/ready", b""),
}


class Slow:
    """An application whose `/slow` waits for `go`; `count` is how often it was called."""

    def __init__(self) -> None:
        self.go, self.count = threading.Event(), 0

    def __call__(self, variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if variables["PATH_INFO"] == "/slow":
            self.count += 1
            self.go.wait()
        return application(variables, start)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def server(slow: Slow, port: int) -> Iterator[Served]:
    with served(slow, port) as running:
        try:
            yield running
        finally:
            slow.go.set()


@pytest.fixture
def crowd(slow: Slow, server: Served) -> Iterator[list[socket.socket]]:
    """Many clients that ask for what takes long."""
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(100)]
        for client in clients:
            client.sendall(SLOW)
        yield clients


@pytest.mark.parametrize("name", QUICK)
def test_what_is_quick_is_answered_beside_what_takes_long(
    server: Served, crowd: list[socket.socket], name: str
) -> None:
    for _ in range(5):
        assert server.ask(QUICK[name]).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("name", OTHERS)
def test_what_may_take_long_waits_for_its_turn(
    server: Served, slow: Slow, crowd: list[socket.socket], name: str
) -> None:
    with connect(server.port) as client:
        client.sendall(OTHERS[name])
        assert server.ask(QUICK["ready"])
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(30)
        slow.go.set()
        assert read_all(client).startswith(b"HTTP/1.1 200 ")
    for each in crowd:
        assert read_all(each).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_before_its_turn_is_not_answered(
    server: Served, slow: Slow, crowd: list[socket.socket]
) -> None:
    for client in crowd:
        client.close()
    for _ in range(5):
        assert server.ask(QUICK["ready"])
    slow.go.set()
    server.wait_until_empty()
    assert slow.count <= 2 * LIMITS.others
