"""Tells a worker that there is something to do, soon but not for every signal."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

LAST_ONE_WITHIN = 2.0
"""Seconds for which the end of a program waits, so that what it stored is hinted at."""


class Hint:
    """Calls `send` when `batch_size` signals wait, or `linger` seconds after the first.

    `send` runs on a thread of its own, so that a slow broker delays nobody, and at most every
    `linger` seconds. A hint that fails is only logged: beat looks again.
    """

    def __init__(self, send: Callable[[], object], *, batch_size: int, linger: float) -> None:
        self._send = send
        self._batch_size = batch_size
        self._linger = linger
        self._process = 0
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.finish)

    def notify(self, count: int) -> None:
        """Say that `count` more signals wait. Returns at once."""
        if self._process == 0:
            self._start()
        self._waiting += count
        if self._waiting >= self._batch_size and not self._full.is_set():
            self._full.set()
        if not self._some.is_set():
            self._idle.clear()
            self._some.set()

    def _start(self) -> None:
        """Start the thread, once, however many threads come here first."""
        with self._starting:
            if self._process == 0:
                self._waiting = 0
                self._some, self._full = threading.Event(), threading.Event()
                self._idle = threading.Event()
                threading.Thread(target=self._run, name="hint", daemon=True).start()
                self._process = os.getpid()

    def _reset(self) -> None:
        """A forked child has no such thread, and perhaps a lock that nobody holds."""
        self._process = 0
        self._starting = threading.Lock()

    def finish(self, seconds: float = LAST_ONE_WITHIN) -> bool:
        """Send what still lingers; whether that was done within so many seconds."""
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
            self._hint()
            if not self._some.is_set():
                self._idle.set()
            time.sleep(self._linger)

    def _hint(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001  # whatever a broker's client may raise
            logger.warning("No hint could be sent (%s); beat will look again", error)
