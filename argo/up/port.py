"""Checks that the web server's port is free."""

import errno
import socket
from contextlib import suppress

from argo.errors import ArgoError

HIGHEST = 65535


class PortUnusable(ArgoError):
    """The web server cannot listen on the host and port of the settings."""


def ensure_free(host: str, port: int) -> None:
    """Check that a server could listen there now.

    The check does not use SO_REUSEPORT, with which the web server would silently share the port
    with an older one.

    Raises:
        PortUnusable: the port is taken, or `host` is not an address of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortUnusable(_explain(host, port, error)) from error


def next_free(host: str, port: int) -> int:
    """Return the first free port above `port`. Raises `PortUnusable` if there is none."""
    for above in range(port + 1, HIGHEST + 1):
        with suppress(PortUnusable):
            ensure_free(host, above)
            return above
    raise PortUnusable(f"No port above {port} is free on {host}. Choose a lower ARGO_WEB_PORT.")


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or choose "
            f"another port: ARGO_WEB_PORT={port + 1}"
        )
    if error.errno == errno.EACCES:
        return (
            f"Port {port} is reserved for the administrator (root). Choose one above 1023 with "
            "ARGO_WEB_PORT."
        )
    return f"Nothing can listen on {host}:{port} ({error}). Correct ARGO_WEB_HOST or ARGO_WEB_PORT."
