"""The web server gives an application the same requests, and clients the same answers, as another
WSGI server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from argo.web.relay import Relay
from tests.argo.web.clients import Served, ask, pages_served, served
from tests.argo.web.echo import application
from tests.loopback import free_port

CLOSE = b"Connection: close\r\n"
GET = b"GET %b HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
CHUNKS = b"4\r\nsign\r\n2\r\nal\r\n0\r\n\r\n"
REQUESTS = {
    "plain": GET % b"/",
    "query": GET % b"/a/b/?x=1&y=%C3%A4&z=",
    "path in percents": GET % b"/a%20b/%C3%A4/%2F/%FF",
    "trailing slash": GET % b"/api/signals/",
    "double slash": GET % b"//a//b",
    "old version": b"GET / HTTP/1.0\r\nHost: a.example\r\n\r\n",
    "case of headers": b"GET / HTTP/1.1\r\nhOST: a.example\r\nx-aPi-KEY: k\r\n" + CLOSE + b"\r\n",
    "header twice": b"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-A: 2\r\n" + CLOSE + b"\r\n",
    "forwarded": b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 9.9.9.9, 8.8.8.8\r\n"
    b"X-Forwarded-Proto: https\r\n" + CLOSE + b"\r\n",
    "body": b"POST /b HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/x\r\nContent-Length: 6\r\n"
    + CLOSE + b"\r\nsignal",
    "chunks": b"POST /b HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n"
    + CLOSE + b"\r\n" + CHUNKS,
    "empty body": b"POST /b HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n" + CLOSE + b"\r\n",
    "put": b"PUT /b HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n" + CLOSE + b"\r\nx",
    "delete": b"DELETE /b HTTP/1.1\r\nHost: a.example\r\n" + CLOSE + b"\r\n",
    "upgrade that is not taken": b"POST /b HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade,close"
    b"\r\nUpgrade: h3c\r\nContent-Length: 2\r\n\r\nhi",
    "stream": GET % b"/stream",
    "stream, old version": b"GET /stream HTTP/1.0\r\nHost: a.example\r\n\r\n",
    "no content": GET % b"/nothing",
    "head": b"HEAD / HTTP/1.1\r\nHost: a.example\r\n" + CLOSE + b"\r\n",
    "head of a stream": b"HEAD /stream HTTP/1.1\r\nHost: a.example\r\n" + CLOSE + b"\r\n",
    "two at once": b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n" + GET % b"/2",
}  # fmt: skip
DIFFERS = {
    "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_EXPECT", "HTTP_CONNECTION", "SERVER_PORT",
    "SCRIPT_NAME",
}  # fmt: skip
"""Variables that say how a request came, not what it says."""


@pytest.fixture(scope="module", params=["direct", "relayed"])
def own(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Served]:  # noqa: ANN401
    """The web server: alone, and with another process that makes its pages."""
    path = str(tmp_path_factory.mktemp("pages") / "socket")
    relay = Relay(path) if request.param == "relayed" else None
    with pages_served(application, path), served(application, free_port(), relay=relay) as running:
        yield running


def split(answers: bytes) -> Iterator[tuple[str, dict[str, list[str]], Any]]:
    """Return status, headers and body of each answer."""
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        length = int(headers.get("content-length", [str(len(rest))])[0])
        body, answers = rest[:length], rest[length:]
        for name in ("date", "server", "connection", "content-length"):
            headers.pop(name, None)
        yield status.partition(" ")[2], headers, readable(body)


def readable(body: bytes) -> Any:  # noqa: ANN401  # JSON
    try:
        found = json.loads(body)
    except ValueError:
        return body.rpartition(b"0\r\n\r\n")[0] or body
    return {name: value for name, value in found.items() if name not in DIFFERS}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_as_with_another_wsgi_server(name: str, own: Served, granian: int) -> None:
    theirs = list(split(ask(granian, REQUESTS[name])))
    ours = list(split(own.ask(REQUESTS[name])))
    assert ours
    assert _joined(ours) == _joined(theirs)


def _joined(answers: list[Any]) -> list[Any]:
    """Put the parts of a streamed body together: each server may cut it differently."""
    joined = []
    for status, headers, body in answers:
        if isinstance(body, bytes) and headers.pop("transfer-encoding", None):
            joined.append((status, headers, b"".join(body.split(b"\r\n")[1::2])))
        else:
            joined.append((status, headers, body))
    return joined
