"""Argo is called ready only when it answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from celery import Celery
from pytest_django import Settings

from argo.up.readiness import Readiness, nodes_are_silent, web_is_silent
from tests.argo.up.processes import wait_until


class Handler(BaseHTTPRequestHandler):
    """Answers as it is told to, and remembers what it was asked."""

    status = 200
    body = json.dumps({"status": "ok"})
    asked: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def handler() -> type[Handler]:
    return type("OwnHandler", (Handler,), {"asked": []})


@pytest.fixture
def port(handler: type[Handler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_web_answers_when_it_gives_its_health(port: int, handler: type[Handler]) -> None:
    assert web_is_silent("127.0.0.1", port) is None
    assert handler.asked[0][0] == "/api/health"


@pytest.mark.parametrize(
    ("status", "body"), [(500, '{"status": "ok"}'), (200, "<html>"), (200, "[]"), (200, "5")]
)
def test_another_answer_is_none(port: int, handler: type[Handler], status: int, body: str) -> None:
    handler.status, handler.body = status, body

    assert web_is_silent("127.0.0.1", port) == f"answers {status}"


def test_a_port_without_a_server_is_silent() -> None:
    assert "no answer yet" in (web_is_silent("127.0.0.1", 1) or "")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        (["argo.example.com"], "argo.example.com"),
        ([".example.com"], "example.com"),
        (["*"], "localhost"),
        ([], "localhost"),
    ],
)
def test_the_probe_comes_from_where_django_lets_requests_come_from(
    port: int, handler: type[Handler], settings: Settings, allowed: list[str], host: str
) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS = allowed, True

    web_is_silent("127.0.0.1", port)

    assert handler.asked == [("/api/health", host, "https")]


def test_nodes_that_are_not_there_are_named() -> None:
    app = Celery("nobody", broker="memory://")

    assert nodes_are_silent(app, ["flush@here", "celerybeat"]) == (
        "no answer yet from flush@here, celerybeat"
    )


@pytest.mark.slow
def test_a_broker_that_is_down_is_named() -> None:
    app = Celery("nobody", broker="redis://127.0.0.1:1/0")
    app.conf.broker_transport_options = {"socket_connect_timeout": 1}

    assert "the broker does not answer" in (nodes_are_silent(app, ["celerybeat"]) or "")


def test_readiness_asks_each_until_it_has_its_answer() -> None:
    asked: list[str] = []
    reasons = {"web": iter(["not yet", None]), "beat": iter([None])}

    def probe(name: str) -> str | None:
        asked.append(name)
        return next(reasons[name])

    readiness = Readiness({"web": lambda: probe("web"), "beat": lambda: probe("beat")})

    wait_until(lambda: not readiness.look())
    assert asked == ["web", "beat", "web"]


def test_a_probe_that_fails_is_not_passed_over_in_silence() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    readiness = Readiness({"web": fail})

    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: not readiness.look())
