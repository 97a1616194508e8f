"""Lets callers wait until what they wrote to a journal is confirmed by the database."""

import asyncio
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future

from django.db import connections

logger = logging.getLogger(__name__)
RETRY_INTERVAL = 0.2
"""Seconds between two attempts while the database does not confirm."""


class Confirmer:
    """One thread of this process stores and confirms lines; any number of callers wait for it.

    `store` stores what a journal has, and returns whether that is confirmed. All who wait share
    one call of it: a group commit behind that of the journal, which takes the next lines
    meanwhile. If `store` fails, it is tried again until it succeeds, also if nobody waits any more.
    """

    def __init__(self, store: Callable[[], bool], using: str = "default") -> None:
        self._store, self._using = store, using
        self._reset()
        _instances.add(self)

    def _reset(self) -> None:
        """Start anew; also in a forked child, which has none of the parent's threads."""
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._waiting: set[Future[None]] = set()
        self._asked_for = self._confirmed = 0  # callers so far
        self._thread: threading.Thread | None = None
        self._overdue_since: float | None = None
        self.fault = ""

    def failing_for(self) -> float:
        """Return for how many seconds nothing was confirmed though something should be."""
        since = self._overdue_since
        return 0.0 if since is None else time.monotonic() - since

    def wait(self, seconds: float) -> None:
        """Return once all lines that are in the journal now are confirmed. Raises TimeoutError."""
        connection = connections[self._using]
        if not connection.in_atomic_block:
            connection.close()  # others need it while this thread waits
        future = self._ask()
        try:
            future.result(seconds)
        finally:
            self._forget(future)

    async def wait_async(self, seconds: float) -> None:
        """Do the same as `wait`, from a coroutine."""
        future = self._ask()
        try:
            await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        finally:
            self._forget(future)

    def _ask(self) -> "Future[None]":
        future: Future[None] = Future()
        with self._lock:
            self._waiting.add(future)
            self._asked_for += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="confirm", daemon=True)
                self._thread.start()
            if self._overdue_since is None:
                self._overdue_since = time.monotonic()
        self._asked.set()
        return future

    def _forget(self, future: "Future[None]") -> None:
        """Forget a caller that no longer waits: there may be many while the database is away."""
        with self._lock:
            self._waiting.discard(future)

    def _run(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            if not self._round():
                self._asked.set()
                time.sleep(RETRY_INTERVAL)

    def _round(self) -> bool:
        """Confirm for all who have asked; return whether that succeeded."""
        with self._lock:
            waiting, asked_for = set(self._waiting), self._asked_for
        if asked_for == self._confirmed:
            return True
        if not self._is_stored():
            return False
        with self._lock:
            self._waiting -= waiting
            self._confirmed = asked_for
            self._overdue_since = time.monotonic() if self._asked_for > asked_for else None
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(None)
        return True

    def _is_stored(self) -> bool:
        """Store what there is; whatever fails is logged, and kept for those who ask why."""
        connection = connections[self._using]
        try:
            connection.close_if_unusable_or_obsolete()
            is_stored = self._store()
            self.fault = "" if is_stored else "it did not confirm that its standby has them"
        except Exception as error:  # noqa: BLE001  # the thread must live, and try again
            if self.fault != (fault := str(error)):
                logger.warning("The database has not confirmed signals; trying again: %s", fault)
            self.fault = fault
            connection.close()
            return False
        return is_stored


_instances: weakref.WeakSet[Confirmer] = weakref.WeakSet()


def _reset_all() -> None:
    for instance in list(_instances):
        instance._reset()


os.register_at_fork(after_in_child=_reset_all)
