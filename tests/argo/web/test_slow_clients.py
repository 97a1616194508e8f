"""Clients that are slow on purpose take no thread from others, and end at their deadline."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from wsgiref.types import StartResponse

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.argo.web.clients import LIMITS, ask, connect, read_all, read_until, served
from tests.argo.web.echo import application

HOST = b"Host: a.example\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
POST = b"POST /s HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 6\r\n\r\nsignal"
SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: a"
SLOW_BODY = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9000\r\n\r\nx"
BIG = b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n"
FILE = b"GET /file HTTP/1.1\r\n" + HOST + b"\r\n"
AT_MOST = 2.0
"""Seconds for the answer to somebody else."""


def big(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answer /big with an endless stream, /file as a large static file; others as an echo."""
    if variables["PATH_INFO"] == "/file":
        start("200 OK", [("Content-Length", str(400 * 1024))])
        return (b"x" * 4096 for _ in range(100))
    if variables["PATH_INFO"] != "/big":
        return application(variables, start)
    start("200 OK", [("Content-Type", "text/plain")])
    return (b"x" * 2**16 for _ in range(2**20))


@contextmanager
def attack(port: int, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Open connections that send these bytes, and then do nothing but trickle."""
    done = threading.Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, receive=4096)) for _ in range(count)]
        for client in clients:
            client.sendall(data)
        trickle = threading.Thread(target=_trickle, args=[clients, data, done])
        trickle.start()
        try:
            yield clients
        finally:
            done.set()
            trickle.join()


def _trickle(clients: list[socket.socket], data: bytes, done: threading.Event) -> None:
    while data in (SLOW_HEAD, SLOW_BODY) and not done.wait(0.2):
        for client in clients:
            try:
                client.sendall(b"x")
            except OSError:
                continue


def answer_in_time(port: int, request: bytes) -> None:
    began = time.monotonic()
    assert ask(port, request).startswith(b"HTTP/1.1 200 ")
    assert time.monotonic() - began < AT_MOST


@pytest.mark.parametrize("count", [8, 64, 500])
@pytest.mark.parametrize("data", [SLOW_HEAD, SLOW_BODY, FILE], ids=["head", "body", "reading"])
def test_others_are_answered_in_time(port: int, count: int, data: bytes) -> None:
    with served(big, port), attack(port, count, data):
        for _ in range(10):
            answer_in_time(port, GET)
            answer_in_time(port, POST)


def test_others_are_answered_in_time_beside_streams_that_nobody_reads(port: int) -> None:
    with served(big, port), attack(port, 20, BIG):
        for _ in range(10):
            answer_in_time(port, GET)


@pytest.mark.parametrize("data", [BIG, FILE * 20], ids=["stream", "files"])
def test_a_client_that_reads_nothing_is_cut_off(
    port: int, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (
        "connection",
        "answer",
    ):  # long enough to see both clients before they are cut off
        monkeypatch.setattr(f"argo.web.{place}.WRITE_TIMEOUT", 2.0)
    with served(big, port) as server, attack(port, 2, data):
        while len(server.server.server_state.connections) < 2:
            time.sleep(0.01)
        server.wait_until_empty()


@pytest.mark.parametrize("data", [b"", SLOW_HEAD, SLOW_BODY], ids=["nothing", "head", "body"])
def test_others_are_answered_though_all_connections_are_taken(port: int, data: bytes) -> None:
    with (
        served(application, port, replace(LIMITS, connections=50)) as server,
        attack(port, 50, data) as clients,
    ):
        time.sleep(1.1)  # younger connections are not closed for others
        answer_in_time(port, GET)
        answer_in_time(port, POST)
        assert len(server.server.server_state.connections) <= 50
        assert any(map(is_closed, clients))  # the oldest ones made room


def test_more_connections_than_allowed_are_told_to_come_again(port: int) -> None:
    with served(application, port, replace(LIMITS, connections=20)), attack(port, 20, SLOW_HEAD):
        answer = ask(port, b"")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 2\r\n" in answer


def is_closed(client: socket.socket) -> bool:
    client.settimeout(0.01)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def read_or_reset(client: socket.socket) -> bytes:
    try:
        return read_all(client)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    ("data", "answer"), [(SLOW_HEAD, b"HTTP/1.1 408 "), (SLOW_BODY, b"refused 408"), (b"", b"")]
)
def test_a_slow_request_ends_at_its_deadline(port: int, data: bytes, answer: bytes) -> None:
    limits = replace(LIMITS, head_timeout=0.5, read_timeout=0.5)
    with served(refusing, port, limits), attack(port, 1, data) as (client,):
        assert answer in read_or_reset(client)


def refusing(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answer with the refusal that the server found, as Argo's middleware does."""
    refusal = variables["argo.refusal"]
    text = b"refused %d" % refusal.status if refusal else b"taken"
    start("200 OK", [("Content-Length", str(len(text)))])
    return [text]


CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSING = CHUNKED.replace(HOST, HOST + b"Connection: close\r\n")


def chunk(size: int) -> bytes:
    return b"%x\r\n%b\r\n" % (size, b"x" * size)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n", b"refused 413"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001,
         b"refused 413"),
        (CHUNKED + chunk(600) + chunk(401), b"refused 413"),
        (CHUNKED + chunk(600) + chunk(400) + b"0\r\n\r\n", b"taken"),
    ],
)  # fmt: skip
def test_the_size_of_a_body_is_limited_while_it_is_read(
    port: int, data: bytes, answer: bytes
) -> None:
    with (
        served(refusing, port, replace(LIMITS, body_bytes=1000)),
        connect(port) as client,
    ):
        client.sendall(data)
        assert answer in read_until(client, answer[:5])


def test_a_client_that_sends_too_much_can_read_why(port: int) -> None:
    """The server reads on for a moment: closing at once would destroy the answer."""
    with served(refusing, port, replace(LIMITS, body_bytes=1000)), connect(port) as client:
        client.sendall(CHUNKED + chunk(2**20))
        assert b"refused 413" in read_all(client)


def test_large_bodies_share_their_memory_but_a_signal_always_fits(port: int) -> None:
    limits = replace(LIMITS, bodies_bytes=400_000)
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 400000\r\n\r\n"
    with served(refusing, port, limits) as server, connect(port) as first:
        first.sendall(head + b"x" * 300_000)
        while server.server.application.budget._free > 165_536:
            time.sleep(0.01)
        assert b"refused 503" in ask(port, head + b"x" * 300_000)
        assert b"taken" in ask(port, POST)
        first.sendall(b"x" * 100_000)
        read_until(first, b"taken")
    assert server.server.application.budget._free == 400_000


@pytest.mark.parametrize("data", [SLOW_HEAD, SLOW_BODY, SLOW_BODY + b"x" * 8000, BIG])
def test_a_client_that_leaves_frees_everything(port: int, data: bytes) -> None:
    with served(big, port) as server:
        for _ in range(20):
            connect(port).close()
            with connect(port) as client:
                client.sendall(data)
        server.wait_until_empty()
        assert server.server.application.budget._free == LIMITS.bodies_bytes
        answer_in_time(port, GET)


def test_tiny_chunks_that_come_together_are_passed_on_together(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part that is passed on costs a copy of all that waits."""
    sizes, pass_on = [], HttpToolsProtocol.on_body

    def counted(connection: HttpToolsProtocol, body: bytes) -> None:
        sizes.append(len(body))
        pass_on(connection, body)

    monkeypatch.setattr(HttpToolsProtocol, "on_body", counted)
    with served(application, port) as server:
        assert b"x" * 20_000 in server.ask(CLOSING + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
    assert sum(sizes) == 20_000
    assert len(sizes) < 200


def test_a_body_in_tiny_chunks_is_refused(port: int) -> None:
    limits = replace(LIMITS, body_bytes=2**23)
    with served(application, port, limits), connect(port) as client:
        try:
            client.sendall(CHUNKED + (b"1;" + b"e" * 60 + b"\r\nx\r\n") * 40_000)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert b"HTTP/1.1 400 " in read_or_reset(client)
