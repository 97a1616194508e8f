"""Argo behind its own web server, in a process of its own."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.argo.web.clients import ask, connect, read_all, wait_for_port
from tests.argo.web.test_slow_clients import AT_MOST, SLOW_BODY, SLOW_HEAD, attack
from tests.installation import Installation
from tests.samples import a_signal

pytestmark = pytest.mark.slow
HTTPS = {"X-Forwarded-Proto": "https"}


@dataclass(frozen=True)
class Argo:
    """A running web server."""

    url: str
    port: int
    key: str
    process: "subprocess.Popen[str]"


@pytest.fixture
def argo(installation: Installation, port: int) -> Iterator[Argo]:
    settings = {
        "ARGO_WEB_PORT": str(port), "API_MAX_BODY_BYTES": "2048", "ARGO_WEB_READ_TIMEOUT": "2",
        "ARGO_HTTPS": "yes", "ARGO_WEB_THREADS": "2",
    }  # fmt: skip
    own = Installation(installation.folder, settings)
    key = own.manage("api_key", "--create", "me", "--scopes", "read,write").stdout.split()[0]
    with own.start("-m", "argo.web", stderr=subprocess.PIPE) as process:
        try:
            wait_for_port(port)
            yield Argo(f"http://127.0.0.1:{port}", port, key, process)
        finally:
            process.terminate()


def test_it_serves_all_of_argo(argo: Argo) -> None:
    keyed = HTTPS | {"X-API-Key": argo.key, "X-Request-ID": "mine-1"}
    text = json.dumps(a_signal())
    pieces = iter([text[:20].encode(), text[20:].encode()])  # sent in chunks, without a length
    taken = requests.post(f"{argo.url}/api/signals", data=pieces, headers=keyed, timeout=30)
    assert taken.status_code == 202
    assert taken.headers["X-Request-ID"] == "mine-1"

    large = iter([b'{"a": "', b"x" * 4096, b'"}'])
    refused = requests.post(f"{argo.url}/api/signals", data=large, headers=keyed, timeout=30)
    assert refused.status_code == 413
    assert "API_MAX_BODY_BYTES" in refused.json()["detail"]
    assert refused.headers["X-Request-ID"] == "mine-1"
    assert refused.headers["Connection"] == "close"

    for path in ("/static/admin/css/base.css", "/docs/", "/admin/login/", "/api/health/ready"):
        page = requests.get(argo.url + path, headers=HTTPS, timeout=30)
        assert page.status_code == 200, path
        assert int(page.headers["Content-Length"]) == len(page.content)
    assert requests.head(f"{argo.url}/docs/", headers=HTTPS, timeout=30).content == b""
    plain = requests.get(f"{argo.url}/docs/", timeout=30, allow_redirects=False)
    assert plain.headers["Location"].startswith("https://")

    slow = ask_slowly(argo.port)
    assert slow.startswith(b"HTTP/1.1 408 ")
    assert b"within 2 seconds" in slow

    argo.process.send_signal(signal.SIGTERM)
    _, log = argo.process.communicate(timeout=60)
    assert argo.process.returncode == 0, log
    for status in (408, 413):
        assert f"Refused POST /api/signals with {status}" in log


SECURE = b"Host: localhost\r\nX-Forwarded-Proto: https\r\n"
FILE = b"GET /static/admin/js/vendor/xregexp/xregexp.js HTTP/1.1\r\n" + SECURE + b"\r\n"
ATTACKS = {"head": SLOW_HEAD, "body": SLOW_BODY, "reading": FILE}


def test_signals_are_taken_during_attacks(argo: Argo) -> None:
    for count in (8, 64, 500):
        for kind, data in ATTACKS.items():
            with attack(argo.port, count, data):
                if kind == "reading":
                    post(argo)  # whole requests come first: that is work, not slowness
                for _ in range(5):
                    began = time.monotonic()
                    status = post(argo)
                    assert status == 202, (kind, count)
                    assert time.monotonic() - began < AT_MOST, (kind, count)
                ready = requests.get(f"{argo.url}/api/health/ready", headers=HTTPS, timeout=AT_MOST)
                assert ready.status_code == 200


def post(argo: Argo) -> int:
    keyed = HTTPS | {"X-API-Key": argo.key}
    return requests.post(
        f"{argo.url}/api/signals", json=a_signal(), headers=keyed, timeout=30
    ).status_code


def ask_slowly(port: int) -> bytes:
    with connect(port) as client:
        client.sendall(
            b"POST /api/signals HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1"
        )
        return read_all(client)


def test_what_is_no_http_does_not_end_it(argo: Argo) -> None:
    two_hosts = b"GET /docs/ HTTP/1.1\r\nConnection: close\r\nHost: a\r\n" + SECURE + b"\r\n"
    for sent in (b"\x00\xff" * 99, two_hosts):
        assert ask(argo.port, sent).startswith(b"HTTP/1.1 400 ")
    assert requests.get(f"{argo.url}/api/health/ready", headers=HTTPS, timeout=30).ok
