"""The way to Alpine, step by step, without a signal: name, connection, certificate, answer, key."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import certifi
import requests
from django.conf import settings
from requests.utils import get_environ_proxies, select_proxy

from argo.doctor.check import Finding, Question, milliseconds, ok, problem, warning
from signals.clock import utc_now
from sync.alpine import AlpineSyncService
from sync.retry import SyncError

TIMEOUT = 3.0
"""Seconds for each step."""
EXPIRES_SOON = timedelta(days=14)
REFUSALS = frozenset({400, 409, 411, 413, 415, 422})
"""The answers to a message without a signal from a server that accepts the key."""
NAME_ADVICE = "Correct the host in ALPINE_ENDPOINT, or this machine's DNS (/etc/resolv.conf)."
CONNECTION_ADVICE = (
    "Start Alpine, correct the port in ALPINE_ENDPOINT, or open the firewall between the machines."
)
TLS_ADVICE = (
    "Renew or correct the certificate on Alpine's side; if it is from an authority of your own, "
    "set REQUESTS_CA_BUNDLE to that authority's file."
)
NO_TLS_ADVICE = (
    "Correct the port in ALPINE_ENDPOINT, or begin it with http:// if Alpine has no TLS: the key "
    "then travels unencrypted."
)
KEY_ADVICE = (
    "Correct ALPINE_API_KEY, or have Alpine accept it. Nothing is lost: what waits is sent then."
)
ADDRESS_ADVICE = "Correct the path in ALPINE_ENDPOINT: it is the address that takes signals."
BUSY_ADVICE = "Look at Alpine's own log. Argo tries again by itself."


class Way(NamedTuple):
    """The host and port to connect to: Alpine's, or those of a proxy on the way."""

    host: str
    port: int
    is_secure: bool
    is_proxy: bool

    def __str__(self) -> str:
        return f"{'the proxy ' if self.is_proxy else ''}{self.host}:{self.port}"


def questions() -> Iterator[Question]:
    """Yield the steps; each needs the one before."""
    yield Question("name", _resolve)
    yield Question("connection", _connect, needs=("name",))
    if _way().is_secure:
        yield Question("certificate", _check_certificate, needs=("connection",))
    yield Question("key", _try_key, needs=("connection", "certificate"))


def _way() -> Way:
    endpoint = settings.ALPINE_ENDPOINT
    proxy = select_proxy(endpoint, get_environ_proxies(endpoint))
    address = urlsplit(proxy or endpoint)
    is_secure = address.scheme == "https"
    return Way(
        address.hostname or "", address.port or (443 if is_secure else 80), is_secure, bool(proxy)
    )


def _resolve() -> Finding:
    way = _way()
    try:
        found = socket.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # no name may have an empty or a very long part
        return problem(f"The name {way.host} cannot be resolved: {error}", NAME_ADVICE)
    addresses = dict.fromkeys(str(each[4][0]) for each in found)
    return ok(f"{way.host} is {', '.join(addresses)}")


def _connect() -> Finding:
    way, began = _way(), time.perf_counter()
    try:
        socket.create_connection((way.host, way.port), TIMEOUT).close()
    except OSError as error:
        return problem(f"No connection to {way}: {error}", CONNECTION_ADVICE)
    return ok(f"{way} accepts one after {milliseconds(time.perf_counter() - began)}")


def _check_certificate() -> Finding:
    way = _way()
    try:
        with (
            socket.create_connection((way.host, way.port), TIMEOUT) as plain,
            _trust().wrap_socket(plain, server_hostname=way.host) as secure,
        ):
            ends = _end_of(secure.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        return problem(f"The certificate of {way} is not valid: {error}", TLS_ADVICE)
    except OSError as error:  # ssl.SSLError is one
        return problem(f"No TLS connection to {way}: {error}", NO_TLS_ADVICE)
    text = f"valid until {ends:%Y-%m-%d}"
    return ok(text) if ends - utc_now() > EXPIRES_SOON else warning(f"It is {text}.", TLS_ADVICE)


def _trust() -> ssl.SSLContext:
    """Return the authorities that sync trusts."""
    session = requests.Session()
    found = session.merge_environment_settings(settings.ALPINE_ENDPOINT, {}, True, None, None)
    bundle = certifi.where() if found["verify"] is True else str(found["verify"])
    if Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _end_of(certificate: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _try_key() -> Finding:
    """Send a message without a signal, which Alpine refuses: but not because of the key."""
    service = AlpineSyncService(
        settings.ALPINE_ENDPOINT, settings.ALPINE_API_KEY, connections=1, timeouts=(TIMEOUT,) * 2
    )
    began = time.perf_counter()
    try:
        status = service.send_once(f"doctor-{uuid4().hex}", b"").status
    except SyncError as error:
        if error.status is None:
            return problem(f"Alpine gives {error}", CONNECTION_ADVICE)
        status = error.status
    finally:
        service.close()
    return _judged(status, milliseconds(time.perf_counter() - began))


def _judged(status: int, duration: str) -> Finding:
    if status in (401, 403):
        return problem(f"Alpine refuses the key with {status}.", KEY_ADVICE)
    if status == 429 or status >= 500:
        return problem(f"Alpine answers {status}.", BUSY_ADVICE)
    if status in REFUSALS:
        return ok(f"Alpine answers {status} to a message without a signal after {duration}")
    if 200 <= status < 300:
        text = f"{settings.ALPINE_ENDPOINT} accepts a message without a signal ({status})."
        return warning(text, ADDRESS_ADVICE)
    return problem(f"{settings.ALPINE_ENDPOINT} answers {status}.", ADDRESS_ADVICE)
