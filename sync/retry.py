"""When to try again: failed deliveries by a schedule, failed database work at once."""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_exponential_jitter

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

DELIVERY_LEASE = timedelta(minutes=1)
"""How long a claimed delivery belongs to its worker; a living worker renews its leases."""
RETRY_JITTER = 0.2
MAX_RETRY_AFTER = 86400.0
"""Seconds; a longer `Retry-After` is cut to this."""


class SyncError(Exception):
    """The receiver, Alpine or a subscriber, did not accept a signal or an event.

    Attributes:
        permanent: this one will never be accepted.
        status: the HTTP status of the answer; None if there was no answer.
        retry_after: the seconds for which the receiver asked to be left alone.
        is_transport: the receiver does not work now, whatever is sent.
        is_refused_key: Alpine refused the API key.
        ends_target: the receiver wants nothing more, ever.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        status: int | None = None,
        retry_after: float | None = None,
        is_transport: bool = False,
        is_refused_key: bool = False,
        ends_target: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status
        self.retry_after = retry_after
        self.is_transport = is_transport
        self.is_refused_key = is_refused_key
        self.ends_target = ends_target


@dataclass(frozen=True)
class Schedule:
    """When what failed is tried again.

    `waits` are the seconds after the first, second, ... attempt; the last value repeats. Each wait
    is spread by up to `jitter` of it in either direction, so that tries do not come all at once.
    """

    waits: Sequence[float]
    jitter: float = RETRY_JITTER

    def next_attempt(
        self, attempts: int, now: datetime, chance: float, retry_after: float | None = None
    ) -> datetime:
        """Return when a delivery that failed `attempts` times is due again.

        `chance`, from 0 to 1, spreads the wait. The delivery is never due before `retry_after`
        seconds, which the receiver asked for.
        """
        spread = self._wait(attempts) * (1 + self.jitter * (2 * chance - 1))
        return now + timedelta(seconds=max(spread, min(retry_after or 0.0, MAX_RETRY_AFTER)))

    def longest_wait(self, attempts: int, *, is_answered: bool) -> timedelta:
        """Return the longest time that a delivery which failed `attempts` times may wait.

        An answer may have asked for more than the schedule has.
        """
        if attempts == 0:
            return timedelta()
        wait = self._wait(attempts) * (1 + self.jitter)
        return timedelta(seconds=max(wait, MAX_RETRY_AFTER) if is_answered else wait)

    def _wait(self, attempts: int) -> float:
        return self.waits[min(attempts, len(self.waits)) - 1]


SCHEDULE = Schedule((5, 60, 300, 1800, 7200, 21600, 43200, 86400))
"""Of signals to Alpine and of events."""


def retry_database_errors(work: Callable[P, T]) -> Callable[P, T]:
    """Make `work`, which consists of whole transactions, run again over a new connection if the
    database fails.

    An answer must not be forgotten because of a short database failure: the same would be sent
    again. It gives up after `DELIVERY_LEASE`, when another worker may own the
    deliveries.
    """

    retrying = Retrying(
        retry=retry_if_exception_type((OperationalError, InterfaceError)),
        stop=stop_after_delay(DELIVERY_LEASE.total_seconds()),
        wait=wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.1),
        before_sleep=_reconnect,
        reraise=True,
    )

    @functools.wraps(work)
    def retried(*args: P.args, **kwargs: P.kwargs) -> T:
        return retrying(work, *args, **kwargs)

    return retried


def _reconnect(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("The database failed (%s); trying again", error)
    connection.close()
