"""A port that is taken is reported before anything starts."""

import socket
from collections.abc import Iterator

import pytest

from argo.up.port import PortUnusable, ensure_free, next_free


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port on which another program listens and allows sharing."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_the_setting_that_changes_it(taken: int) -> None:
    with pytest.raises(PortUnusable, match=rf"Port {taken} .* is taken .*ARGO_WEB_PORT=\d+"):
        ensure_free("127.0.0.1", taken)
    with pytest.raises(PortUnusable, match="is taken"):
        ensure_free("0.0.0.0", taken)  # noqa: S104  # this is what is tested


def test_a_port_whose_server_has_just_ended_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            server.accept()[0].close()  # this end closes first, and waits in TIME_WAIT

    ensure_free(*address)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_this_machines_names_the_setting(host: str) -> None:
    with pytest.raises(PortUnusable, match="Correct ARGO_WEB_HOST"):
        ensure_free(host, 8000)


def test_the_next_free_port_is_above_the_taken_ones(taken: int) -> None:
    found = next_free("127.0.0.1", taken - 1)
    assert found > taken
    ensure_free("127.0.0.1", found)


def test_no_free_port_is_an_error() -> None:
    with pytest.raises(PortUnusable):
        next_free("192.0.2.1", 65534)
