"""Database work that outlives a lost connection or a lock that is held too long."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_exponential_jitter

from sync.retry import LEASE

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


def persistent(work: Callable[P, T]) -> Callable[P, T]:
    """Try `work`, which is whole transactions, again over a new connection.

    What Alpine has answered must not be forgotten over a hiccup of the database: it would be sent
    again. After a lease nobody waits any more, since another worker may have it by then.
    """

    retrying = Retrying(
        retry=retry_if_exception_type((OperationalError, InterfaceError)),
        stop=stop_after_delay(LEASE.total_seconds()),
        wait=wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.1),
        before_sleep=_reconnect,
        reraise=True,
    )

    @functools.wraps(work)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        return retrying(work, *args, **kwargs)

    return tried


def _reconnect(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("The database failed (%s): trying again", error)
    connection.close()
