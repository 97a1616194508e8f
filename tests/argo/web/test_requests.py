"""HTTP as clients speak it: kept connections, waiting clients, and what is not HTTP."""

import json
import time
from typing import Any

import pytest

from tests.argo.web.clients import Served, read_all, read_until

HOST = b"Host: a.example\r\n"


def body_of(answer: bytes) -> Any:  # noqa: ANN401  # JSON
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_connection_is_kept_for_more_requests(echo: Served) -> None:
    with echo.connect() as client:
        for path in (b"/1", b"/2"):
            client.sendall(b"GET %b HTTP/1.1\r\n%b\r\n" % (path, HOST))
            assert b'"PATH_INFO": "%b"' % path in read_until(client, b'"body": ""}')


def test_an_old_client_is_told_that_the_connection_is_not_kept(echo: Served) -> None:
    answer = echo.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"connection: close" in answer
    assert body_of(answer)["body"] == ""


def test_answers_on_a_kept_connection_come_at_once(echo: Served) -> None:
    """Without TCP_NODELAY each would wait 40 ms for the client's acknowledgement."""
    began = time.monotonic()
    with echo.connect() as client:
        for _ in range(200):
            client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            read_until(client, b'"body": ""}')
    assert time.monotonic() - began < 6.0


def test_requests_sent_at_once_are_answered_in_order(echo: Served) -> None:
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\n%bContent-Length: 1\r\n\r\nx" % (n, HOST) for n in range(200)
    )
    with echo.connect() as client:
        client.sendall(requests + b"GET /last HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        answers = read_all(client)
    begins = [answers.index(b'"PATH_INFO": "/%d"' % n) for n in range(200)]
    assert begins == sorted(begins)
    assert b'"PATH_INFO": "/last"' in answers


def test_a_request_in_pieces_is_one_request(echo: Served) -> None:
    request = b"POST /p HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc"
    with echo.connect() as client:
        for number in range(len(request)):
            client.sendall(request[number : number + 1])
        assert body_of(read_all(client))["body"] == "abc"


def test_a_client_that_waits_is_told_to_go_on(echo: Served) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with echo.connect() as client:
        client.sendall(head)
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert b'"body": "abc"' in read_until(client, b"}")


def test_a_header_with_an_underscore_never_passes_for_one_with_a_hyphen(echo: Served) -> None:
    forged = b"GET / HTTP/1.1\r\n" + HOST + b"X_Forwarded_Proto: https\r\nConnection: close\r\n\r\n"
    assert "HTTP_X_FORWARDED_PROTO" not in body_of(echo.ask(forged))


def test_trailers_are_not_headers(echo: Served) -> None:
    sent = (
        b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = echo.ask(sent + b"1\r\nx\r\n0\r\nX-Api-Key: k\r\n\r\n")
    assert body_of(answer)["body"] == "x"
    assert "HTTP_X_API_KEY" not in body_of(answer)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
         400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
        (b"CONNECT a.example:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 300 + b"\r\n", 431),
        (b"GET /" + b"x" * 700_000, 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
         + b"x" * 700_000, 400),
    ],
)  # fmt: skip
def test_what_is_not_http_is_refused_and_closed(echo: Served, sent: bytes, status: int) -> None:
    answer = echo.ask(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in answer
    assert body_of(answer)["detail"]


def test_an_application_that_fails_gets_500_and_the_server_goes_on(echo: Served) -> None:
    echo.server.application.wsgi = lambda variables, start: 1 / 0  # type: ignore[assignment, return-value]
    for _ in range(8):
        answer = echo.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")


def test_an_alert_has_a_limit_of_its_own_also_in_chunks(echo: Served) -> None:
    head = b"POST /hooks/abc HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n"
    size = 64 * 1024 + 1
    declared = head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    chunk = b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n"
    for request in (declared, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk):
        assert b'"body": ""' in echo.ask(request), "the application gets a refusal, and no body"
    fits = head + b"Content-Length: 65536\r\n\r\n" + b"x" * 65536
    assert b'"body": "xxx' in echo.ask(fits)
