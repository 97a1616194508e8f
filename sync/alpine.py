"""Alpine over HTTP: one signal a request, as its contract says."""

import hashlib
import os
import time
from collections.abc import Callable
from typing import NamedTuple

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import HTTPError

from signals.clock import Clock, utc_now
from sync.errors import SyncError
from sync.retry_after import seconds_asked

RETRIES = 3
LONGEST_IN_CALL = 10.0
"""Seconds; where Alpine asks for longer, the delivery waits instead of the caller."""
ANSWER_BYTES = 65536
"""More of an answer is not read."""
KEPT_CHARACTERS = 1000
SECONDS_FOR_ANSWER = 30.0
"""After which no further chunk of an answer is waited for."""
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
        self._connections = connections
        self._timeouts = timeouts
        self._sleep = sleep
        self._clock = clock
        self._session: requests.Session | None = None
        self._process = 0

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
        retrying = Retrying(
            retry=retry_if_exception(_may_pass_soon),
            stop=stop_after_attempt(1 + retries),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self.send_once, signal_id, body)

    def send_once(self, signal_id: str, body: bytes) -> Answer:
        """Deliver one signal, without a second try. Raises SyncError."""
        try:
            with self._open().post(
                self.endpoint,
                data=body,
                headers={"Idempotency-Key": signal_id},
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(response.status_code, self._text(response))
                retry_after = response.headers.get("Retry-After")
        except (requests.RequestException, HTTPError) as error:
            raise SyncError(f"no answer: {error}", permanent=False) from error
        if answer.status in TAKEN:
            return answer
        raise _refusal(answer, seconds_asked(retry_after, self._clock()))

    def has(self, signal_id: str) -> bool:
        """Whether Alpine has the signal. Raises SyncError where it does not offer to say."""
        try:
            response = self._open().get(
                f"{self.endpoint}/{signal_id}", timeout=self._timeouts, allow_redirects=False
            )
        except requests.RequestException as error:
            raise SyncError(f"no answer: {error}", permanent=False) from error
        if response.status_code == 200:
            return True
        if response.status_code == 404 and _says_why(response):
            return False
        raise SyncError(
            f"Alpine does not say which signals it has: GET {self.endpoint}/{signal_id} gets "
            f"{response.status_code}. The key must have the scope read.",
            permanent=True,
            status=response.status_code,
        )

    def close(self) -> None:
        """Let go of the connections; a later call opens them again."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _open(self) -> requests.Session:
        """Connections are made after a fork: two processes must not share one."""
        if self._session is None or self._process != os.getpid():
            session = requests.Session()
            adapter = HTTPAdapter(pool_maxsize=self._connections)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            session.headers.update({"X-API-Key": self._key, "Content-Type": "application/json"})
            self._session, self._process = session, os.getpid()
        return self._session

    def _text(self, response: requests.Response) -> str:
        """The answer's beginning. One that is cut short, or whose chunks never end, is none."""
        deadline = time.monotonic() + SECONDS_FOR_ANSWER
        text = b""
        for piece in response.iter_content(ANSWER_BYTES):
            text += piece
            if len(text) >= ANSWER_BYTES:
                break
            if time.monotonic() > deadline:
                raise requests.Timeout("the answer takes too long")
        return text[:KEPT_CHARACTERS].decode(errors="replace").replace("\0", "")


def _says_why(response: requests.Response) -> bool:
    """Whether it is the signal that is not there, or the whole address."""
    try:
        return bool(response.json()["detail"] != "Not Found")  # which is said of addresses
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
