"""How many messages wait in each Celery queue."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, partial
from typing import Any

from celery import Celery
from kombu import Connection, Queue

logger = logging.getLogger(__name__)

PATIENCE = 0.02
"""Seconds that a scrape waits for the broker if the last answer is not too old to be reported."""
FIRST_PATIENCE = 0.5
"""Seconds that it waits if no answer is known, so that the first scrape reports a real one."""
MAX_AGE = 60.0
"""Seconds after which an answer is not reported any more."""
CONNECT_TIMEOUT = 5
Depths = dict[str, int]


class QueueDepths:
    """Asks the broker on a thread of its own, so that a broker that hangs delays no scrape.

    `ask` returns the number of waiting messages by queue.
    """

    def __init__(self, ask: Callable[[], Depths]) -> None:
        self._ask = ask
        self._pool = ThreadPoolExecutor(1, "queue-depths")
        self._asked: Future[tuple[Depths, float]] | None = None
        self._found: Depths = {}
        self._at = float("-inf")

    def read(self) -> Depths:
        """Return the last answer of the broker; empty if it has not answered within a minute."""
        has_failed = self._look(PATIENCE)
        if not self._is_recent and not has_failed:
            self._look(FIRST_PATIENCE)
        return self._found if self._is_recent else {}

    @property
    def _is_recent(self) -> bool:
        return time.monotonic() - self._at < MAX_AGE

    def _look(self, patience: float) -> bool:
        """Take the answer if it comes in time, after asking if need be; return if that failed."""
        if self._asked is None:
            self._asked = self._pool.submit(self._timed)
        if not wait([self._asked], patience).done:
            return False
        asked, self._asked = self._asked, None
        try:
            self._found, self._at = asked.result()
        except Exception as error:  # noqa: BLE001  # whatever a broker's client may raise
            logger.warning("The Celery broker does not say how many messages wait: %s", error)
            return True
        return False

    def _timed(self) -> tuple[Depths, float]:
        """Return the answer and when it came; it may be taken much later."""
        return self._ask(), time.monotonic()


def ask(app: Celery) -> Depths:
    """Return how many messages wait in each queue of the broker. Raises what its client raises."""
    with app.connection_for_read(connect_timeout=CONNECT_TIMEOUT) as broker:
        broker.ensure_connection(max_retries=0, timeout=CONNECT_TIMEOUT)
        queues = app.amqp.queues.items()
        return {name.partition(".")[0]: _depth(broker, queue) for name, queue in queues}


def _depth(broker: Connection, queue: Queue) -> int:
    """Return the number of messages in a queue, without making it. Redis has no empty queues."""
    try:
        with broker.channel() as channel:
            declared: Any = queue(channel).queue_declare(passive=True)
            return int(declared.message_count)
    except broker.channel_errors:
        return 0


@cache
def queue_depths(app: Celery) -> QueueDepths:
    """Return this process's reader."""
    return QueueDepths(partial(ask, app))
