"""Does Argo answer? Each probe gives a reason why not, or nothing."""

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

Probe = Callable[[], str | None]


def web_is_silent(host: str, port: int) -> str | None:
    """Why the web server has not answered `GET /api/health` with Argo's health."""
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


def nodes_are_silent(app: Celery, wanted: Sequence[str]) -> str | None:
    """Which of Celery's nodes have not answered a ping; each is a name, or the part before @.

    A worker answers from the loop that takes messages, and beat only while it is ticking. Beat
    may be another machine's.
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
    """Runs the probes, beside its caller, again and again until each has had its answer."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = dict(probes)
        self._waiting = dict.fromkeys(probes, "not asked yet")
        self._pool = ThreadPoolExecutor(1, "readiness")
        self._round = self._pool.submit(self._ask)

    def look(self) -> dict[str, str]:
        """Which probes have had no answer yet, and why; empty once all have. Does not wait."""
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
    """Headers with which Django takes the probe for a request that it is there for."""
    host = settings.ALLOWED_HOSTS[0].lstrip(".") if settings.ALLOWED_HOSTS else "localhost"
    headers = {"Host": "localhost" if host == "*" else host}
    return headers | {"X-Forwarded-Proto": "https"} if settings.HTTPS else headers


def _is_health(status: int, content: bytes) -> bool:
    try:
        health = json.loads(content)
    except ValueError:
        return False
    return status == 200 and isinstance(health, dict) and "status" in health
