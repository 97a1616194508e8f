"""A server that stops finishes what it handles."""

import threading
import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse

from tests.argo.web.clients import PATIENCE, Served, connect, read_all, served
from tests.argo.web.echo import application

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"


def test_requests_in_flight_are_finished(port: int) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        begun.set()
        go.wait(PATIENCE)
        return application(variables, start)

    with served(slow, port) as server, connect(port) as client:
        client.sendall(POST + b"ok")
        assert begun.wait(PATIENCE)
        server.stop()
        time.sleep(0.3)
        go.set()
        answer = read_all(client)
        assert b'"body": "ok"' in answer
        assert b"connection: close" in answer


def test_a_request_that_is_being_sent_is_finished(port: int) -> None:
    with served(application, port) as server, connect(port) as client:
        client.sendall(POST + b"o")
        time.sleep(0.3)
        server.stop()
        time.sleep(0.3)
        client.sendall(b"k")
        assert b'"body": "ok"' in read_all(client)


def test_idle_connections_do_not_delay_the_end(port: int) -> None:
    with served(application, port) as server, connect(port) as idle, connect(port) as begun:
        begun.sendall(b"GET / HT")
        time.sleep(0.2)
        stopped_within(server, 3.0)
        assert read_all(idle) == read_all(begun) == b""


def test_a_request_that_does_not_end_is_left_behind(port: int) -> None:
    begun, go = threading.Event(), threading.Event()

    def endless(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        begun.set()
        go.wait(PATIENCE)
        return application(variables, start)

    with served(endless, port) as server, connect(port) as client:
        server.server.config.timeout_graceful_shutdown = 1
        client.sendall(POST + b"ok")
        assert begun.wait(PATIENCE)
        stopped_within(server, 5.0)
        assert server.server.close()
        go.set()


def stopped_within(server: Served, seconds: float) -> None:
    began = time.monotonic()
    server.stop()
    server.thread.join(PATIENCE)
    assert time.monotonic() - began < seconds
