"""Looks up the hashes of stored signals within a limited time, whatever the database does."""

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout

from django.db import Error as DatabaseError
from django.db import connections

from signals.dialect import is_shared
from signals.ledger.inserts import stored_hashes

logger = logging.getLogger(__name__)

WAIT = 0.1
"""Seconds that a look-up may take."""
THREADS = 4
MOST_WAITING = 64
"""Look-ups that wait for a thread at most; then the database is taken for hanging."""
IDLE = 0.5
"""Seconds after which a thread without work closes its connection."""
Answer = Future[dict[str, str]]


class NoAnswer(Exception):
    """The database did not answer in time."""


class Lookups:
    """Asks the database on threads of their own, so that a caller can stop waiting.

    The threads start when they are needed, and do not delay the end of the process.
    """

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._work: queue.SimpleQueue[tuple[Answer, str, list[str]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, using: str, signal_ids: Sequence[str]) -> Answer:
        """Return the future hashes by id. Raises NoAnswer if too many look-ups wait."""
        if self._work.qsize() >= MOST_WAITING:
            raise NoAnswer("too many look-ups wait for the database")
        answer: Answer = Future()
        self._work.put((answer, using, list(signal_ids)))
        self._start()
        return answer

    def _start(self) -> None:
        with self._lock:
            if self._started < THREADS and (self._work.qsize() or not self._started):
                self._started += 1
                threading.Thread(target=self._run, name="look-up", daemon=True).start()

    def _run(self) -> None:
        work = self._work
        while True:
            try:
                _answer(*work.get(timeout=IDLE))
            except queue.Empty:
                connections.close_all()
                _answer(*work.get())


def _answer(answer: Answer, using: str, signal_ids: list[str]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(stored_hashes(using, signal_ids))
    except Exception as error:  # noqa: BLE001  # the caller gets it
        connections[using].close()
        answer.set_exception(error)
    finally:
        if not is_shared(using):  # others of this process need it
            connections[using].close()


_lookups = Lookups()


def hashes_in_time(using: str, signal_ids: Sequence[str]) -> dict[str, str]:
    """Return `sha256` by `signal_id` of what is stored; nothing if the database does not answer.

    Inside a transaction it is asked directly: only its own connection sees what it has inserted.
    """
    if not signal_ids:
        return {}
    try:
        if connections[using].in_atomic_block:
            return stored_hashes(using, signal_ids)
        answer = _lookups.submit(using, signal_ids)
        return _result(answer, time.monotonic() + WAIT)
    except (NoAnswer, DatabaseError) as error:
        return _unanswered(error)


async def hashes_in_time_async(using: str, signal_ids: Sequence[str]) -> dict[str, str]:
    """Do the same as `hashes_in_time`, from a coroutine."""
    if not signal_ids:
        return {}
    try:
        answer = _lookups.submit(using, signal_ids)
        return await asyncio.wait_for(asyncio.wrap_future(answer), WAIT)
    except (NoAnswer, DatabaseError, TimeoutError) as error:
        return _unanswered(error)


def _result(answer: Answer, deadline: float) -> dict[str, str]:
    try:
        return answer.result(max(0.0, deadline - time.monotonic()))
    except (FutureTimeout, CancelledError):
        answer.cancel()
        raise NoAnswer(f"no answer within {WAIT:g} s") from None


def _unanswered(error: Exception) -> dict[str, str]:
    logger.debug("Ids are not looked up, because the database does not answer: %s", error)
    return {}
