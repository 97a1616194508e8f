"""Finds out when Argo is ready. A probe returns the reason why a part is not ready, or None."""

import http.client
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

Probe = Callable[[], str | None]


def web_not_ready(host: str, port: int) -> str | None:
    """Return why the web server did not answer `GET /api/health` with Argo's health, or None."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/api/health", headers=_as_from_outside())
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer yet ({error})"
    finally:
        connection.close()
    return None if _is_health(response.status, content) else f"answers {response.status}"


def socket_not_ready(path: str) -> str | None:
    """Return why nobody listens on a Unix socket, or None."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            return f"does not listen yet ({error})"
    return None


def nodes_not_ready(app: Celery, wanted: Sequence[str]) -> str | None:
    """Return which of Celery's nodes did not answer a ping, or None; a node is given by its name
    or by the part before @.

    A worker answers from the loop that takes messages, and beat answers only while it ticks. Beat
    may run on another machine.
    """
    try:
        replies = app.control.ping(timeout=1.0)
    except (OperationalError, OSError) as error:
        return f"the broker does not answer ({error})"
    answered = {node for reply in replies or () for node in reply}
    answered |= {node.partition("@")[0] for node in answered}
    missing = [node for node in wanted if node not in answered]
    return f"no answer yet from {', '.join(missing)}" if missing else None


class Readiness:
    """Repeats the probes on another thread until each part is ready."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = dict(probes)
        self._waiting = dict.fromkeys(probes, "not checked yet")
        self._pool = ThreadPoolExecutor(1, "readiness")
        self._round = self._pool.submit(self._ask)

    def check(self) -> dict[str, str]:
        """Return the parts that are not ready, with the reasons; do not wait. Once all are ready,
        it is empty."""
        if self._round.done():
            self._waiting = self._round.result()
            self._probes = {name: self._probes[name] for name in self._waiting}
            if self._probes:
                self._round = self._pool.submit(self._ask)
            else:
                self._pool.shutdown(wait=False)
        return self._waiting

    def _ask(self) -> dict[str, str]:
        reasons = {name: probe() for name, probe in self._probes.items()}
        return {name: reason for name, reason in reasons.items() if reason}


def _as_from_outside() -> dict[str, str]:
    """Return headers with which Django accepts the probe like a request from outside."""
    host = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"
    headers = {"Host": "localhost" if host == "*" else host}
    return headers | {"X-Forwarded-Proto": "https"} if settings.HTTPS else headers


def _is_health(status: int, content: bytes) -> bool:
    try:
        health = json.loads(content)
    except ValueError:
        return False
    return status == 200 and isinstance(health, dict) and "status" in health
