"""Wakes a worker by sending a Celery task by its name: soon, but not once for every signal."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

from celery import current_app

logger = logging.getLogger(__name__)

EXIT_WAIT = 2.0
"""Seconds that the end of a program waits, so that a worker hears of what it stored."""
Send = Callable[[str, float], object]


def send_task(name: str, expires: float) -> None:
    """Send a Celery task by its name; it is dropped if no worker takes it within `expires` s."""
    current_app.send_task(name, expires=expires, retry=False)


class WakeUp:
    """Sends the task when `batch_size` items wait, or `linger` seconds after the first.

    It sends on a thread of its own, so that a slow message broker delays no caller, and at most
    once every `linger` seconds. A failed send is only logged: beat looks again. If `is_awake`
    returns True, nothing is sent.
    """

    def __init__(
        self,
        task: str,
        *,
        linger: float,
        batch_size: int = 1,
        expires: float = 60.0,
        is_awake: Callable[[], bool] = lambda: False,
        send: Send = send_task,
    ) -> None:
        self._task = task
        self._linger = linger
        self._batch_size = batch_size
        self._expires = expires
        self._is_awake = is_awake
        self._send = send
        self._process = 0
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.finish)

    def notify(self, count: int = 1) -> None:
        """Report that `count` more items wait. Return at once."""
        if self._process == 0:
            self._start()
        self._waiting += count
        if self._waiting >= self._batch_size and not self._full.is_set():
            self._full.set()
        if not self._some.is_set():
            self._idle.clear()
            self._some.set()

    def _start(self) -> None:
        """Start the thread once, even if many threads come here at the same time."""
        with self._starting:
            if self._process == 0:
                self._waiting = 0
                self._some, self._full = threading.Event(), threading.Event()
                self._idle = threading.Event()
                threading.Thread(target=self._run, name="wake-up", daemon=True).start()
                self._process = os.getpid()

    def _reset(self) -> None:
        """Forget the thread: a forked child does not have it, and its lock may never be free."""
        self._process = 0
        self._starting = threading.Lock()

    def finish(self, seconds: float = EXIT_WAIT) -> bool:
        """Send what still lingers; return whether that was done within `seconds`."""
        if self._process != os.getpid():
            return True
        self._full.set()
        return self._idle.wait(seconds)

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._full.wait(self._linger)
            self._waiting = 0
            self._some.clear()
            self._full.clear()
            self._wake()
            if not self._some.is_set():
                self._idle.set()
            time.sleep(self._linger)

    def _wake(self) -> None:
        try:
            if not self._is_awake():
                self._send(self._task, self._expires)
        except Exception as error:  # noqa: BLE001  # whatever a broker's client may raise
            logger.warning("No worker could be woken (%s); beat will look again", error)
