"""Asks the database within a limited time, whatever it does."""

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, NamedTuple, TypeVar

from django.db import connections

from signals.dialect import is_shared

T = TypeVar("T")
MOST_WAITING = 64
"""Questions that wait for a thread at most; then the database is taken for hanging."""
IDLE = 0.5
"""Seconds after which a thread without work closes its connection."""


class NoAnswer(Exception):
    """The database did not answer in time."""


class _Question(NamedTuple):
    answer: "Future[Any]"
    using: str
    ask: Callable[[], Any]


class Asking:
    """Asks the database on at most `threads` threads, so that a caller can stop waiting.

    The threads start when they are needed, and do not delay the end of the process.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._work: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, using: str, ask: Callable[[], T]) -> "Future[T]":
        """Return the future answer of `ask`, which asks the database `using`.

        Raises NoAnswer if too many questions wait.
        """
        if self._work.qsize() >= MOST_WAITING:
            raise NoAnswer("too many questions wait for the database")
        answer: Future[T] = Future()
        self._work.put(_Question(answer, using, ask))
        self._start()
        return answer

    def within(self, seconds: float, using: str, ask: Callable[[], T]) -> T:
        """Return the answer of `ask`. Raises NoAnswer after so many seconds, and what it raises.

        Inside a transaction it is asked directly: only its own connection sees its rows. So it is
        if another database stands in for `using` on this thread alone.
        """
        connection = connections[using]
        if connection.in_atomic_block or connection.alias != using:
            return ask()
        deadline = time.monotonic() + seconds
        answer = self.submit(using, ask)
        try:
            return answer.result(max(0.0, deadline - time.monotonic()))
        except (FutureTimeout, CancelledError):
            answer.cancel()
            raise NoAnswer(f"no answer within {seconds:g} s") from None

    def _start(self) -> None:
        with self._lock:
            if self._started < self._threads and (self._work.qsize() or not self._started):
                self._started += 1
                threading.Thread(target=self._run, name="look-up", daemon=True).start()

    def _run(self) -> None:
        work = self._work
        while True:
            try:
                _answer(work.get(timeout=IDLE))
            except queue.Empty:
                connections.close_all()
                _answer(work.get())


def _answer(question: _Question) -> None:
    answer, using, ask = question
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(ask())
    except Exception as error:  # noqa: BLE001  # the caller gets it
        connections[using].close()
        answer.set_exception(error)
    finally:
        if not is_shared(using):  # others of this process need it
            connections[using].close()


LOOK_UPS = Asking(threads=4)
"""What a process looks up before it answers a request."""
