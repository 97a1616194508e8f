"""The trading context of a web request: a slow broker or market must not keep signals out.

The threads of the web server take the signals too. So a request waits for broker and market for a
limited time, and only a part of the threads may wait at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from django.conf import settings

from argo.errors import Unavailable
from execution.accounts.rows import PAPER
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.timed import TimedBroker
from execution.context import TradingContext
from signals.market.timed import Deadline, TimedMarket

MAX_WAIT = 5.0
"""Seconds that all calls of one request to broker and market may take together."""
REMOTE_MARKETS = ("alpaca",)
"""The values of MARKET_DATA that ask another machine."""
SHARE = 4
"""The web server's threads divided by this may wait for them at once; at least one."""


@contextmanager
def for_request(context: TradingContext) -> Iterator[TradingContext]:
    """Return the context with a broker and a market that answer in time, for one request.

    Raises `Unavailable` at once if too many requests wait for them already. What is on this machine
    needs no limit: a broker in the database, a market in files.
    """
    if not _may_wait(context):
        yield context
        return
    slots = _slots()
    if not slots.acquire(blocking=False):
        raise Unavailable("Other requests wait for the broker already: try again in a moment.")
    try:
        yield _timed(context, Deadline(MAX_WAIT))
    finally:
        slots.release()


def _may_wait(context: TradingContext) -> bool:
    return context.broker.name != PAPER or settings.MARKET_DATA in REMOTE_MARKETS


def _timed(context: TradingContext, deadline: Deadline) -> TradingContext:
    """Return the context whose calls to other machines end at the deadline."""
    market = TimedMarket(context.market, deadline)
    broker = context.broker
    if isinstance(broker, PaperBroker):  # it uses the database, and asks the market by itself
        return replace(context, market=market, broker=replace(broker, market=market))
    return replace(context, market=market, broker=TimedBroker(broker, deadline))


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(max(1, settings.WEB_THREADS // SHARE))
