"""How many messages wait in each Celery queue."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import cache
from typing import Any

from celery import Celery
from kombu import Connection, Queue

logger = logging.getLogger(__name__)

PATIENCE = 0.02
"""Seconds that a scrape waits for the broker; after that it reports the depths of the last answer,
if they are not too old."""
MAX_AGE = 60.0
"""Seconds after which depths are not reported any more."""
CONNECT_TIMEOUT = 5


class QueueDepths:
    """Asks the broker on a thread of its own, so that a broker that hangs delays no scrape."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(1, "queue-depths")
        self._asked: Future[dict[str, int]] | None = None
        self._found: dict[str, int] = {}
        self._at = float("-inf")

    def read(self) -> dict[str, int]:
        """Return the number of waiting messages by queue; empty if the broker does not answer."""
        if self._asked is None:
            self._asked = self._pool.submit(self._ask)
        try:
            self._found = self._asked.result(PATIENCE)
            self._at = time.monotonic()
            self._asked = None
        except TooLate:
            pass
        except Exception as error:  # noqa: BLE001  # whatever a broker's client may raise
            logger.warning("The Celery broker does not tell its queues: %s", error)
            self._asked = None
        return self._found if time.monotonic() - self._at < MAX_AGE else {}

    def _ask(self) -> dict[str, int]:
        with self._app.connection_for_read(connect_timeout=CONNECT_TIMEOUT) as broker:
            broker.ensure_connection(max_retries=0, timeout=CONNECT_TIMEOUT)
            queues = self._app.amqp.queues.items()
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
    return QueueDepths(app)
