"""A request to a receiver: a checked address, a deadline, and no trust in the answer."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from sync.webhooks.addresses import InsideAddress
from sync.webhooks.posting import MAX_ANSWER_BYTES, NoReply, Reply, post
from tests.sync.alpine_server import (
    Behave,
    answer,
    cut_short,
    endless,
    endless_redirect,
    reset,
    silent,
    trickling_body,
    trickling_head,
)
from tests.sync.webhooks.inbox import HOST, Inbox, close, longer_than_it_says, running

NAME = "receiver.example"


def send(inbox: Inbox, timeout: float = 10.0, url: str = "", **options: Any) -> Reply:  # noqa: ANN401
    headers = {"webhook-id": "msg_1"}
    options = {"allowed": (HOST,)} | options
    return post(url or inbox.url, b'{"a": 1}', headers, timeout=timeout, **options)


def test_the_request_has_the_path_the_query_and_the_body(inbox: Inbox) -> None:
    assert send(inbox).status == 204
    (got,) = inbox.got
    assert (got.body, got.headers["host"]) == (b'{"a": 1}', f"127.0.0.1:{inbox.port}")
    assert got.headers["connection"] == "close"


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(inboxes: list[Inbox], status: int) -> None:
    first, second, _ = inboxes
    first.always(answer(status, b"", Location=second.url))
    assert send(first).status == status
    assert second.got == []


@pytest.mark.parametrize("behave", [
    endless, cut_short, longer_than_it_says, trickling_body, endless_redirect,
])  # fmt: skip
def test_a_lie_about_the_length_changes_neither_the_status_nor_the_memory(
    inbox: Inbox, behave: Behave
) -> None:
    inbox.always(behave)
    reply = send(inbox, timeout=2.0)
    assert reply.status in (200, 201, 302)
    assert len(reply.text) <= MAX_ANSWER_BYTES
    inbox.always(answer(200, b"fine"))
    assert send(inbox) == Reply(200, "fine", None)


@pytest.mark.parametrize("behave", [silent, trickling_head])
def test_a_receiver_that_hangs_is_left_at_the_deadline(inbox: Inbox, behave: Behave) -> None:
    inbox.always(behave)
    with pytest.raises(NoReply, match=r"no answer within 0\.5 s"):
        send(inbox, timeout=0.5)


@pytest.mark.parametrize("behave", [reset, close])
def test_a_closed_connection_is_no_answer(inbox: Inbox, behave: Behave) -> None:
    inbox.always(behave)
    with pytest.raises(NoReply, match="no answer"):
        send(inbox)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Let the name have one address after the other."""
    coming = iter(answers)

    def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
        assert host == NAME
        address = next(coming)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
def test_a_name_that_resolves_to_an_address_inside_is_not_connected_to(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolve_to(monkeypatch, address)
    url = f"http://{NAME}:{inbox.port}/"
    with pytest.raises(InsideAddress, match=f"{NAME} is at"):
        send(inbox, url=url, allowed=())
    assert inbox.got == []


def test_the_address_is_checked_again_at_each_attempt(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.webhooks.addresses.is_inside", lambda each: str(each) != "127.0.0.1")
    monkeypatch.setattr("sync.webhooks.posting._Checked._refuse_this_machine", lambda *_: None)
    resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2")
    url = f"http://{NAME}:{inbox.port}/"
    assert send(inbox, url=url, allowed=()).status == 204
    with pytest.raises(InsideAddress):
        send(inbox, url=url, allowed=())
    assert len(inbox.got) == 1


def test_an_allowed_name_may_be_anywhere(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    url = f"http://{NAME}:{inbox.port}/"
    assert send(inbox, url=url, allowed=(NAME,)).status == 204
    assert inbox.got[0].headers["host"] == f"{NAME}:{inbox.port}"


def test_this_machine_by_a_public_address_of_its_own_is_refused(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.webhooks.addresses.is_inside", lambda each: False)
    resolve_to(monkeypatch, "127.0.0.1")
    with pytest.raises(InsideAddress):
        send(inbox, url=f"http://{NAME}:{inbox.port}/", allowed=())
    assert inbox.got == []


def test_the_next_address_is_tried_if_one_does_not_answer(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, inbox.port))
             for each in ("127.0.0.3", "127.0.0.1")]  # fmt: skip
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert send(inbox, url=f"http://{NAME}:{inbox.port}/", allowed=(NAME,)).status == 204


def test_a_name_without_an_address_is_no_answer() -> None:
    with pytest.raises(NoReply, match="gaierror"):
        post("https://no-such-host.invalid/", b"", {}, timeout=10.0)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Return a certificate authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return authority


def tls_inbox(authority: trustme.CA, host: str) -> Iterator[Inbox]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with running(context) as inbox:
        yield inbox


@pytest.fixture
def named_inbox(authority: trustme.CA) -> Iterator[Inbox]:
    yield from tls_inbox(authority, NAME)


@pytest.fixture
def impostor(authority: trustme.CA) -> Iterator[Inbox]:
    yield from tls_inbox(authority, "other.example")


def test_tls_verifies_the_name_of_the_checked_address(
    named_inbox: Inbox, impostor: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1", "127.0.0.1")
    url = f"https://{NAME}:{named_inbox.port}/"
    assert send(named_inbox, url=url, allowed=(NAME,)).status == 204
    with pytest.raises(NoReply, match="CERTIFICATE_VERIFY_FAILED"):
        send(impostor, url=f"https://{NAME}:{impostor.port}/", allowed=(NAME,))
    assert impostor.got == []


def test_a_handshake_that_never_ends_is_broken_off() -> None:
    with socket.create_server((HOST, 0)) as server:
        url = f"https://{HOST}:{server.getsockname()[1]}/"
        with pytest.raises(NoReply, match="within"):
            post(url, b"", {}, timeout=0.3, allowed=(HOST,))


def test_no_thread_of_a_deadline_stays(inbox: Inbox) -> None:
    import threading

    send(inbox, timeout=60.0)
    ends = time.monotonic() + 10
    while any(isinstance(each, threading.Timer) for each in threading.enumerate()):
        assert time.monotonic() < ends
        time.sleep(0.01)
