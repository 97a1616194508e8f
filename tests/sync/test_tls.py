"""Alpine over TLS: only a server with a valid certificate gets signals and the key."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from sync.alpine import AlpineSyncService
from sync.retry import SyncError
from tests.sync.alpine_server import Alpine, running
from tests.sync.conftest import Clock


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Return a certificate authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return authority


def alpine_of(authority: trustme.CA, host: str) -> Iterator[Alpine]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with running(tls=context) as alpine:
        yield alpine


@pytest.fixture
def alpine(authority: trustme.CA) -> Iterator[Alpine]:
    yield from alpine_of(authority, "127.0.0.1")


@pytest.fixture
def of_another_host(authority: trustme.CA) -> Iterator[Alpine]:
    yield from alpine_of(authority, "alpine.example")


@pytest.fixture
def of_an_unknown_authority(authority: trustme.CA) -> Iterator[Alpine]:
    yield from alpine_of(trustme.CA(), "127.0.0.1")


def test_a_valid_certificate_is_trusted(alpine: Alpine, service: AlpineSyncService) -> None:
    for _ in range(3):
        assert service.send("a", b"{}").status == 201
    assert len(set(alpine.ports)) == 1


@pytest.mark.parametrize("impostor", ["of_another_host", "of_an_unknown_authority"])
def test_a_server_with_an_invalid_certificate_gets_nothing(
    impostor: str, request: pytest.FixtureRequest, clock: Clock
) -> None:
    alpine: Alpine = request.getfixturevalue(impostor)
    service = AlpineSyncService(alpine.endpoint, "the key", sleep=clock.sleep)
    with pytest.raises(SyncError, match="CERTIFICATE_VERIFY_FAILED") as raised:
        service.send("a", b"{}")
    assert raised.value.is_transport
    assert not raised.value.permanent
    assert alpine.requests == []
