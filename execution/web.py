"""The trading context of a web request: a slow broker must not keep signals out.

The threads of the web server take the signals too. So a request waits for the broker for a limited
time, and only a part of the threads may wait at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from django.conf import settings

from argo.errors import Unavailable
from execution.accounts.rows import PAPER
from execution.brokers.timed import TimedBroker
from execution.context import TradingContext

MAX_WAIT = 5.0
"""Seconds that all calls of one request to the broker may take together."""
SHARE = 4
"""The web server's threads divided by this may wait for the broker at once; at least one."""


@contextmanager
def for_request(context: TradingContext) -> Iterator[TradingContext]:
    """Return the context with a broker that answers in time, for one request.

    Raises `Unavailable` at once if too many requests wait for the broker already. A broker that is
    in the database needs no limit.
    """
    if context.broker.name == PAPER:
        yield context
        return
    slots = _slots()
    if not slots.acquire(blocking=False):
        raise Unavailable("Other requests wait for the broker already: try again in a moment.")
    try:
        yield replace(context, broker=TimedBroker(context.broker, MAX_WAIT))
    finally:
        slots.release()


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(max(1, settings.WEB_THREADS // SHARE))
