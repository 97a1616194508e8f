"""Requests for pages are passed on to another process; signals never are."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest

from argo.web.relay import Relay
from argo.web.server import listen_on
from tests.argo.web.clients import LIMITS, Served, connect, pages_served, read_all, served

GET = "GET {} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{}\r\n"


class Named:
    """A WSGI application that answers with its name and what it knows of the client."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        said = {name: text for name, text in variables.items() if isinstance(text, str)}
        body = json.dumps({"name": self.name, "said": said}).encode()
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "pages")


@pytest.fixture
def front(port: int, path: str) -> Iterator[Served]:
    with served(Named("front"), port, relay=Relay(path)) as running:
        yield running


def _answer(front: Served, target: str, headers: str = "") -> Any:  # noqa: ANN401  # JSON
    return json.loads(front.ask(GET.format(target, headers).encode()).partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", "pages"),
        ("/admin/signals/", "pages"),
        ("/docs/", "pages"),
        ("/api/analysis/signals?format=csv", "pages"),
        ("/api/signals", "front"),
        ("/api/health/ready", "front"),
        ("/metrics", "front"),
    ],
)
def test_pages_are_made_by_the_other_process(
    front: Served, path: str, target: str, expected: str
) -> None:
    with pages_served(Named("pages"), path):
        assert _answer(front, target)["name"] == expected


def test_it_knows_the_client_whatever_the_client_says(front: Served, path: str) -> None:
    with pages_served(Named("pages"), path):
        said = _answer(front, "/", "X-Argo-Hop: 9.9.9.9 1 8.8.8.8 2\r\n")["said"]
    assert (said["REMOTE_ADDR"], said["SERVER_PORT"]) == ("127.0.0.1", str(front.port))
    assert "HTTP_X_ARGO_HOP" not in said


def test_while_the_other_process_is_away_pages_are_made_here(front: Served, path: str) -> None:
    assert _answer(front, "/")["name"] == "front"
    with pages_served(Named("pages"), path):
        assert _answer(front, "/")["name"] == "pages"
    assert _answer(front, "/")["name"] == "front"
    with pages_served(Named("pages again"), path):
        assert _answer(front, "/")["name"] == "pages again"


def _ends_after(path: str, sent: bytes) -> threading.Thread:
    """Accept one connection on the socket, answer its request with these bytes, and close."""
    listener = listen_on(path)
    listener.listen()

    def work() -> None:
        with listener, listener.accept()[0] as client:
            client.recv(2**16)
            client.sendall(sent)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_if_it_ends_before_it_answers_the_client_is_asked_to_try_again(
    front: Served, path: str
) -> None:
    thread = _ends_after(path, b"")
    answer = front.ask(GET.format("/admin/", "").encode())
    thread.join()
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 2" in answer


def test_if_it_ends_within_its_answer_the_connection_is_closed(front: Served, path: str) -> None:
    thread = _ends_after(path, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
    with connect(front.port) as client:
        client.sendall(GET.format("/admin/", "").encode())
        try:
            answer = read_all(client)
        except ConnectionResetError:
            answer = b""
    thread.join()
    assert not answer.endswith(b"\r\n0\r\n\r\n")
    assert len(answer.partition(b"\r\n\r\n")[2]) < 100


def test_a_page_that_hangs_keeps_no_signal_out(front: Served, path: str) -> None:
    """More pages hang than the web server has threads."""
    release = threading.Event()

    def hanging(variables: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        release.wait(30)
        start("200 OK", [("Content-Length", "0")])
        return [b""]

    with pages_served(hanging, path):
        clients = [connect(front.port) for _ in range(3 * LIMITS.threads)]
        try:
            for client in clients:
                client.sendall(GET.format("/admin/", "").encode())
            assert _answer(front, "/api/signals")["name"] == "front"
        finally:
            release.set()
            for client in clients:
                assert read_all(client).startswith(b"HTTP/1.1 200")
                client.close()


def test_the_socket_is_for_this_user_alone(path: str) -> None:
    listener = listen_on(path)
    with listener:
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert listener.family == socket.AF_UNIX
