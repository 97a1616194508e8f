"""Asks what may hang, such as a server that is stopped, and waits for a limited time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")


class NoAnswer(Exception):
    """There was no answer in time; the question is still under way."""


class Bounded(Generic[T]):
    """Calls `ask` on a thread of its own; a caller waits for at most `wait` seconds.

    An answer is given again for `fresh` seconds. While a thread hangs, no other one is started:
    callers then learn at once that there is no answer. The threads do not delay a process's end.
    """

    def __init__(self, ask: Callable[[], T], *, wait: float, fresh: float = 0.0) -> None:
        self._ask = ask
        self._wait = wait
        self._fresh = fresh
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._answer: Future[T] | None = None

    def __call__(self) -> T:
        """Return the answer. Raises `NoAnswer`, and what `ask` raises."""
        answer, left = self._under_way()
        try:
            return answer.result(timeout=max(0.0, left))
        except FutureTimeout:
            if answer.done():  # `ask` itself timed out
                raise
            raise NoAnswer(f"no answer within {self._wait:g} s") from None

    def _under_way(self) -> tuple[Future[T], float]:
        """Return the latest answer, which may be to come, and how long to wait for it."""
        with self._lock:
            now = time.monotonic()
            if self._answer is None or (
                self._answer.done() and now - self._asked_at >= self._fresh
            ):
                self._answer, self._asked_at = Future(), now
                arguments = (self._answer,)
                threading.Thread(target=self._run, args=arguments, daemon=True).start()
            return self._answer, self._asked_at + self._wait - now

    def _run(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:  # noqa: BLE001  # the caller gets it
            answer.set_exception(error)
        finally:
            connections.close_all()
