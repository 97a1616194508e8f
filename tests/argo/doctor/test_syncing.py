"""The doctor finds why sync with Alpine fails, on a real server on loopback."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme
from pytest_django import Settings
from typing_extensions import override

from argo.doctor import alpine, syncing
from argo.doctor.check import Finding
from signals.clock import utc_now
from signals.config import flusher
from signals.models import Heartbeat, Signal
from signals.tracker import SignalTracker
from sync.models import Breaker, Delivery
from tests.argo.doctor.asking import OK, PROBLEM, SKIPPED, WARNING, of
from tests.loopback import serving
from tests.samples import a_signal
from tests.signs_of_life import all_alive

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("name", "connection", "certificate", "key")
Request = tuple[dict[str, str], bytes]


@pytest.fixture(autouse=True)
def sync_is_on(settings: Settings) -> None:
    settings.ALPINE_API_KEY = "the key"
    all_alive()


@contextmanager
def answering(
    status: int, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[Request]]]:
    """Serve an Alpine that answers every request so; yield its port, and what it gets."""
    got: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler, tls=tls) as port:
        yield port, got


def steps(address: str, settings: Settings) -> dict[str, Finding]:
    settings.ALPINE_ENDPOINT = f"{address}/api/signals"
    return of(syncing.questions, *STEPS)


def answered(status: int, settings: Settings) -> Finding:
    with answering(status) as (port, _):
        return steps(f"http://127.0.0.1:{port}", settings)["key"]


def test_a_key_that_works_is_tried_without_a_signal(settings: Settings) -> None:
    with answering(422) as (port, got):
        found = steps(f"http://127.0.0.1:{port}", settings)
    assert {each.result for each in found.values()} == {OK}
    ((headers, body),) = got
    assert (headers["X-API-Key"], body) == ("the key", b"")
    assert not Signal.objects.exists()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_found(status: int, settings: Settings) -> None:
    found = answered(status, settings)
    assert (found.result, found.sentence) == (PROBLEM, f"Alpine refuses the key with {status}.")
    assert "ALPINE_API_KEY" in found.advice


@pytest.mark.parametrize(
    ("status", "result", "advice"),
    [(404, PROBLEM, "path"), (302, PROBLEM, "path"), (503, PROBLEM, "own log"),
     (202, WARNING, "path"), (400, OK, "")],
)  # fmt: skip
def test_other_answers_are_told_apart(
    status: int, result: str, advice: str, settings: Settings
) -> None:
    found = answered(status, settings)
    assert found.result == result
    assert advice in found.advice


def test_a_closed_port_is_found_and_the_key_is_not_tried(settings: Settings) -> None:
    found = steps("http://127.0.0.1:1", settings)
    assert found["name"].result is OK
    assert found["connection"].result is PROBLEM
    assert "127.0.0.1:1: " in found["connection"].sentence
    assert "Start Alpine" in found["connection"].advice
    assert found["key"].result is SKIPPED


def test_a_name_that_does_not_resolve_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RES_OPTIONS", "attempts:1 timeout:1")  # of a machine without any network
    found = steps("http://no-such-host.invalid", settings)
    assert found["name"].result is PROBLEM
    assert "no-such-host.invalid cannot be resolved" in found["name"].sentence
    assert "DNS" in found["name"].advice
    assert {found["connection"].result, found["key"].result} == {SKIPPED}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Return a certificate authority that this machine trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return made


def secure_steps(
    issuer: trustme.CA, settings: Settings, host: str = "127.0.0.1", days: int = 365
) -> dict[str, Finding]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ends = datetime.now(UTC) + timedelta(days=days)
    issuer.issue_cert(host, not_after=ends).configure_cert(context)
    with answering(422, context) as (port, got):
        found = steps(f"https://127.0.0.1:{port}", settings)
    assert len(got) == (found["certificate"].result is not PROBLEM)
    return found


def test_a_valid_certificate_is_trusted_and_one_that_ends_soon_is_a_warning(
    authority: trustme.CA, settings: Settings
) -> None:
    found = secure_steps(authority, settings)
    assert (found["certificate"].result, found["key"].result) == (OK, OK)
    found = secure_steps(authority, settings, days=13)
    assert (found["certificate"].result, found["key"].result) == (WARNING, OK)


def test_a_server_without_tls_is_not_said_to_have_a_wrong_certificate(settings: Settings) -> None:
    with answering(422) as (port, got):
        found = steps(f"https://127.0.0.1:{port}", settings)["certificate"]
    assert (found.result, got) == (PROBLEM, [])
    assert found.sentence.startswith(f"No TLS connection to 127.0.0.1:{port}: ")
    assert "http://" in found.advice


def test_a_wrong_certificate_is_found_and_that_server_does_not_get_the_key(
    authority: trustme.CA, settings: Settings
) -> None:
    impostors = ((authority, "alpine.example"), (trustme.CA(), "127.0.0.1"))
    for issuer, host in impostors:
        found = secure_steps(issuer, settings, host)["certificate"]
        assert found.result is PROBLEM
        assert "certificate verify failed" in found.sentence
        assert "REQUESTS_CA_BUNDLE" in found.advice


def test_an_alpine_that_never_answers_is_found_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alpine, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        found = steps(f"http://127.0.0.1:{silent.getsockname()[1]}", settings)["key"]
    assert time.monotonic() - began < 5
    assert found.result is PROBLEM
    assert "no answer" in found.sentence


def test_through_a_proxy_the_proxy_is_connected_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    found = steps("http://alpine.example", settings)["connection"]
    assert found.result is PROBLEM
    assert "the proxy 127.0.0.1:1" in found.sentence


def test_while_sync_is_off_alpine_is_not_contacted(settings: Settings) -> None:
    settings.ALPINE_API_KEY = ""
    with answering(422) as (port, got):
        settings.ALPINE_ENDPOINT = f"http://127.0.0.1:{port}/api/signals"
        found = of(syncing.questions)
    assert {name: each.result for name, each in found.items()} == {"sync": SKIPPED}
    assert got == []


def queue(**changes: object) -> Delivery:
    SignalTracker("test").accept([a_signal()])
    flusher().flush()
    Delivery.objects.update(**changes)
    return Delivery.objects.get()


def test_a_backlog_is_found() -> None:
    queue(due_at=utc_now() - timedelta(minutes=6))
    found = of(syncing.questions, "waiting")["waiting"]
    assert found.result is PROBLEM
    assert "SYNC_CONCURRENCY" in found.advice


def test_an_open_breaker_is_found() -> None:
    Breaker.objects.create(pk=1, probe_at=utc_now(), reason="no answer: refused")
    found = of(syncing.questions, "breaker")["breaker"]
    assert (found.result, found.sentence) == (PROBLEM, "Sync is paused: no answer: refused")


def test_dead_deliveries_and_their_last_answers_are_found() -> None:
    one = queue(status="dead", attempts=1, attempted_at=utc_now(), last_answer="422: \x1b[31mno")
    found = of(syncing.questions, "dead", "last errors")
    assert (found["dead"].result, found["dead"].sentence) == (PROBLEM, "1 delivery is dead.")
    assert found["last errors"].result is WARNING
    assert rf"{one.signal.signal_id} (dead): 422: \x1b[31mno" in found["last errors"].sentence


def test_a_delivery_that_waits_for_its_next_try_shows_the_last_answer() -> None:
    queue()
    assert of(syncing.questions, "last errors")["last errors"].result is OK
    Delivery.objects.update(attempts=2, last_answer="503: busy")
    assert "(pending): 503: busy" in of(syncing.questions, "last errors")["last errors"].sentence


def test_a_missing_worker_is_found() -> None:
    Heartbeat.objects.filter(queues="sync").delete()
    assert of(syncing.questions, "worker")["worker"].result is PROBLEM
