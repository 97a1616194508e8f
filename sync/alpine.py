"""Alpine over HTTP: one signal a request, as its contract says."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import requests
from django.conf import settings
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import HTTPError

from signals.clock import Clock, utc_now
from sync.errors import SyncError
from sync.http import Connections
from sync.retry_after import seconds_asked

RETRIES = 3
LONGEST_IN_CALL = 10.0
"""Seconds; where Alpine asks for longer, the delivery waits instead of the caller."""
ANSWER_BYTES = 65536
"""More of an answer is not read."""
KEPT_CHARACTERS = 1000
TAKEN = frozenset({200, 201, 202, 409})
PASSING = frozenset({408, 425, 429})
_backoff = wait_exponential_jitter(multiplier=0.25, max=4.0, jitter=0.25)
Sleep = Callable[[float], None]


class Answer(NamedTuple):
    """What Alpine said."""

    status: int
    text: str


class AlpineSyncService:
    """Sends signals to one endpoint. Any number of threads and forked processes may share it.

    `timeouts` are for the connection and between two pieces of the answer, in seconds.
    """

    def __init__(
        self,
        endpoint: str,
        key: str,
        *,
        connections: int = 8,
        timeouts: tuple[float, float] = (5.0, 10.0),
        sleep: Sleep = time.sleep,
        clock: Clock = utc_now,
    ) -> None:
        self.endpoint = endpoint
        self._key = key
        self._size = connections
        self._timeouts = timeouts
        self._clock = clock
        self._connections: Connections | None = None
        self._process = 0
        self._opening = Lock()
        self._retrying = Retrying(
            retry=retry_if_exception(_may_pass_soon), wait=_wait, sleep=sleep, reraise=True
        )

    @property
    def key_digest(self) -> str:
        """Tells one key from another without being one."""
        return hashlib.sha256(self._key.encode()).hexdigest()

    @classmethod
    def from_settings(cls, sleep: Sleep = time.sleep) -> "AlpineSyncService":
        return cls(
            settings.ALPINE_ENDPOINT,
            settings.ALPINE_API_KEY,
            connections=settings.SYNC_CONCURRENCY,
            sleep=sleep,
        )

    def send(self, signal_id: str, body: bytes, *, retries: int = RETRIES) -> Answer:
        """Deliver one signal; what may pass is tried again. Raises SyncError."""
        retrying = self._retrying.copy(stop=stop_after_attempt(1 + retries))
        return retrying(self.send_once, signal_id, body)

    def send_once(self, signal_id: str, body: bytes) -> Answer:
        """Deliver one signal, without a second try. Raises SyncError."""
        try:
            with self._open().post(signal_id, body) as response:
                answer = Answer(response.status_code, _text(response))
                retry_after = response.headers.get("Retry-After")
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        except ValueError as error:  # an id of an imported signal that no header can hold
            raise SyncError(f"cannot be sent: {error}", permanent=True) from error
        if answer.status in TAKEN:
            return answer
        raise _refusal(answer, seconds_asked(retry_after, self._clock()))

    def has(self, signal_id: str) -> bool:
        """Whether Alpine has the signal. Raises SyncError where it does not offer to say."""
        try:
            with self._open().get(_address(self.endpoint, signal_id)) as response:
                status, text = response.status_code, _text(response)
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        if status == 200:
            return True
        if status == 404 and _is_of_the_signal(text):
            return False
        raise SyncError(
            f"Alpine does not say which signals it has: GET {self.endpoint} with the id of one "
            f"gets {status}.{' The key must be one that may read.' * (status in (401, 403))}",
            permanent=True,
            status=status,
        )

    def close(self) -> None:
        """Let go of the connections; a later call opens them again."""
        with self._opening:
            if self._connections is not None:
                self._connections.close()
            self._connections = None

    def _open(self) -> Connections:
        """Connections are made after a fork: two processes must not share one."""
        with self._opening:
            if self._connections is None or self._process != os.getpid():
                self._connections = Connections(
                    self.endpoint, self._key, self._size, self._timeouts
                )
                self._process = os.getpid()
            return self._connections


def _text(response: requests.Response) -> str:
    """The answer's beginning. One that is cut short is none."""
    text = b""
    for piece in response.iter_content(ANSWER_BYTES):
        text += piece
        if len(text) >= ANSWER_BYTES:
            break
    return text[:KEPT_CHARACTERS].decode(errors="replace").replace("\0", "")


def _address(endpoint: str, signal_id: str) -> str:
    """Of one signal."""
    parts = urlsplit(endpoint)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(signal_id, safe='')}").geturl()


def _no_answer(error: Exception) -> SyncError:
    text = f"no answer: {error}"[:KEPT_CHARACTERS]
    return SyncError(text, permanent=False, is_transport=True)


def _is_of_the_signal(text: str) -> bool:
    """Whether it is the signal that is not there, or the whole address."""
    try:
        return bool(json.loads(text)["detail"] != "Not Found")  # which is said of addresses
    except (ValueError, TypeError, KeyError):
        return False


def _refusal(answer: Answer, retry_after: float | None) -> SyncError:
    status = answer.status
    permanent = 400 <= status < 500 and status not in PASSING and status not in (401, 403)
    return SyncError(
        f"{status}: {answer.text}", permanent=permanent, status=status, retry_after=retry_after
    )


def _may_pass_soon(error: BaseException) -> bool:
    return (
        isinstance(error, SyncError)
        and not error.permanent
        and not error.is_refused_key
        and (error.retry_after or 0.0) <= LONGEST_IN_CALL
    )


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, SyncError) else None
    return max(asked or 0.0, _backoff(state))
