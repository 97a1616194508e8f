"""Alpine over HTTP: one signal per request, as Alpine's contract says."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from threading import Lock
from urllib.parse import quote, urlsplit

import requests
from django.conf import settings
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import HTTPError

from signals.clock import Clock, utc_now
from sync.http import Connections, parse_retry_after
from sync.retry import SyncError
from sync.service import Answer

RETRIES = 3
MAX_WAIT_IN_CALL = 10.0
"""Seconds; if Alpine asks for a longer wait, the call fails and the delivery waits."""
MAX_ANSWER_BYTES = 65536
"""The rest of a longer answer is not read."""
MAX_KEPT_CHARACTERS = 1000
"""The rest of a longer answer is not stored."""
ACCEPTED = frozenset({200, 201, 202, 409})
"""Statuses that mean: Alpine has the signal. 409 says that it had it before."""
TEMPORARY = frozenset({408, 425, 429})
"""The 4xx statuses that may change with time."""
_backoff = wait_exponential_jitter(multiplier=0.25, max=4.0, jitter=0.25)
Sleep = Callable[[float], None]


class AlpineSyncService:
    """Sends signals to one endpoint. Any number of threads and forked processes may share it.

    `connections` limits the pool of connections. `timeouts` are the seconds to connect and between
    two pieces of an answer. `sleep` waits between two tries.
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
            retry=retry_if_exception(_is_worth_a_retry), wait=_wait, sleep=sleep, reraise=True
        )

    @property
    def key_digest(self) -> str:
        """Return the key's SHA-256, to tell keys apart without showing them."""
        return hashlib.sha256(self._key.encode()).hexdigest()

    @classmethod
    def from_settings(cls, sleep: Sleep = time.sleep) -> "AlpineSyncService":
        """Return a service for the endpoint and the key of the settings."""
        return cls(
            settings.ALPINE_ENDPOINT,
            settings.ALPINE_API_KEY,
            connections=settings.SYNC_CONCURRENCY,
            sleep=sleep,
        )

    def send(self, signal_id: str, body: bytes, *, retries: int = RETRIES) -> Answer:
        """Deliver one signal; try again up to `retries` times if the failure is temporary.

        Raises `SyncError` if Alpine does not accept the signal.
        """
        retrying = self._retrying.copy(stop=stop_after_attempt(1 + retries))
        return retrying(self.send_once, signal_id, body)

    def send_once(self, signal_id: str, body: bytes) -> Answer:
        """Deliver one signal with a single try.

        Raises `SyncError` if Alpine does not accept the signal.
        """
        try:
            with self._open().post(signal_id, body) as response:
                answer = Answer(response.status_code, _text(response))
                retry_after = response.headers.get("Retry-After")
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        except ValueError as error:  # no header can hold the id of this imported signal
            raise SyncError(f"cannot be sent: {error}", permanent=True) from error
        if answer.status in ACCEPTED:
            return answer
        raise _refusal(answer, parse_retry_after(retry_after, self._clock()))

    def has(self, signal_id: str) -> bool:
        """Return whether Alpine has the signal.

        Raises `SyncError` if Alpine does not answer or does not offer this query.
        """
        try:
            with self._open().get(_address(self.endpoint, signal_id)) as response:
                status, text = response.status_code, _text(response)
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        if status == 200:
            return True
        if status == 404 and _means_no_such_signal(text):
            return False
        raise SyncError(
            f"Alpine does not say which signals it has: GET {self.endpoint}/SIGNAL_ID returned "
            f"{status}.{' Use a key that may read.' * (status in (401, 403))}",
            permanent=True,
            status=status,
        )

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        with self._opening:
            if self._connections is not None:
                self._connections.close()
            self._connections = None

    def _open(self) -> Connections:
        """Return this process's connections; after a fork the child opens its own."""
        with self._opening:
            if self._connections is None or self._process != os.getpid():
                self._connections = Connections(
                    self.endpoint, self._key, self._size, self._timeouts
                )
                self._process = os.getpid()
            return self._connections


def _text(response: requests.Response) -> str:
    """Return the beginning of the body. An answer that is cut short raises an error."""
    text = b""
    for piece in response.iter_content(MAX_ANSWER_BYTES):
        text += piece
        if len(text) >= MAX_ANSWER_BYTES:
            break
    return text[:MAX_KEPT_CHARACTERS].decode(errors="replace").replace("\0", "")


def _address(endpoint: str, signal_id: str) -> str:
    """Return the URL of one signal."""
    parts = urlsplit(endpoint)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(signal_id, safe='')}").geturl()


def _no_answer(error: Exception) -> SyncError:
    text = f"no answer: {error}"[:MAX_KEPT_CHARACTERS]
    return SyncError(text, permanent=False, is_transport=True)


def _means_no_such_signal(text: str) -> bool:
    """Return whether a 404 is about the signal; "Not Found" alone is about the URL."""
    try:
        return bool(json.loads(text)["detail"] != "Not Found")
    except (ValueError, TypeError, KeyError):
        return False


def _refusal(answer: Answer, retry_after: float | None) -> SyncError:
    status = answer.status
    is_refused_key = status in (401, 403)
    permanent = 400 <= status < 500 and status not in TEMPORARY and not is_refused_key
    return SyncError(
        f"{status}: {answer.text}", permanent=permanent, status=status, retry_after=retry_after,
        is_refused_key=is_refused_key,
    )  # fmt: skip


def _is_worth_a_retry(error: BaseException) -> bool:
    return (
        isinstance(error, SyncError)
        and not error.permanent
        and not error.is_refused_key
        and (error.retry_after or 0.0) <= MAX_WAIT_IN_CALL
    )


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, SyncError) else None
    return max(asked or 0.0, _backoff(state))
