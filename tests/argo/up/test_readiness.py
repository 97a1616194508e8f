"""Argo is ready only when all its parts answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from celery import Celery
from pytest_django import Settings

from argo.up.readiness import Readiness, nodes_not_ready, web_not_ready
from tests.argo.up.processes import wait_until


class Handler(BaseHTTPRequestHandler):
    """Answers with `status` and `body`, and remembers the requests."""

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


def test_the_web_server_is_ready_when_it_returns_its_health(
    port: int, handler: type[Handler]
) -> None:
    assert web_not_ready("127.0.0.1", port) is None
    assert handler.asked[0][0] == "/api/health"


@pytest.mark.parametrize(
    ("status", "body"), [(500, '{"status": "ok"}'), (200, "<html>"), (200, "[]"), (200, "5")]
)
def test_another_answer_does_not_count(
    port: int, handler: type[Handler], status: int, body: str
) -> None:
    handler.status, handler.body = status, body

    assert web_not_ready("127.0.0.1", port) == f"answers {status}"


def test_a_port_without_a_server_is_not_ready() -> None:
    assert "no answer yet" in (web_not_ready("127.0.0.1", 1) or "")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        (["argo.example.com"], "argo.example.com"),
        ([".example.com"], "example.com"),
        (["*"], "localhost"),
        ([], "localhost"),
    ],
)
def test_the_probe_has_headers_that_django_accepts(
    port: int, handler: type[Handler], settings: Settings, allowed: list[str], host: str
) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS = allowed, True

    web_not_ready("127.0.0.1", port)

    assert handler.asked == [("/api/health", host, "https")]


def test_missing_nodes_are_named() -> None:
    app = Celery("nobody", broker="memory://")

    assert nodes_not_ready(app, ["flush@here", "celerybeat"]) == (
        "no answer yet from flush@here, celerybeat"
    )


@pytest.mark.slow
def test_a_broker_that_is_down_is_named() -> None:
    app = Celery("nobody", broker="redis://127.0.0.1:1/0")
    app.conf.broker_transport_options = {"socket_connect_timeout": 1}

    assert "the broker does not answer" in (nodes_not_ready(app, ["celerybeat"]) or "")


def test_each_probe_is_repeated_until_its_part_is_ready() -> None:
    asked: list[str] = []
    reasons = {"web": iter(["not yet", None]), "beat": iter([None])}

    def probe(name: str) -> str | None:
        asked.append(name)
        return next(reasons[name])

    readiness = Readiness({"web": lambda: probe("web"), "beat": lambda: probe("beat")})

    wait_until(lambda: not readiness.check())
    assert asked == ["web", "beat", "web"]


def test_an_error_in_a_probe_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    readiness = Readiness({"web": fail})

    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: not readiness.check())
