"""A bounded queue of lines and the thread that writes them, so that no caller waits for a log."""

import os
import selectors
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

CAPACITY = 2000
"""Lines that wait at most; further ones are dropped and counted."""
EXIT_WAIT = 2.0
"""Seconds that the end of a program waits for the lines that are not written yet."""
Item = str | threading.Event


class BackgroundWriter:
    """Writes lines in their order, on a thread of its own, which starts with the first line.

    `write` gets one or more whole lines, and may block or raise `OSError`: then these are lost.
    `notice` returns the line that says how many were dropped; it is written once lines are written
    again. A forked child begins with an empty queue: what waits is its parent's to write.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        notice: Callable[[int], str],
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._write, self._notice, self._capacity = write, notice, capacity
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log in the middle of `put`
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._is_started = False
        self._dropped = self._reported = 0

    def put(self, line: str) -> None:
        """Have the line, which ends with a line break, written. Return at once."""
        with self._lock:
            if self._queue.qsize() >= self._capacity or not self._has_thread():
                self._dropped += 1
            else:
                self._queue.put(line)

    def finish(self, seconds: float = EXIT_WAIT) -> bool:
        """Wait until all lines are written; return whether that was done within `seconds`."""
        if not self._is_started:
            return True
        done = threading.Event()
        self._queue.put(done)
        return done.wait(seconds)

    def _has_thread(self) -> bool:
        """Start the thread once; return False if the interpreter allows no new one at its end."""
        if not self._is_started:
            thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            with suppress(RuntimeError):
                thread.start()
                self._is_started = True
        return self._is_started

    def _run(self) -> None:
        queue = self._queue
        while True:
            lines, done = _waiting(queue)
            self._write_lines("".join(lines))
            if self._dropped > self._reported and queue.qsize() <= self._capacity // 2:
                missing = self._dropped - self._reported
                self._reported += missing
                self._write_lines(self._notice(missing))
            for event in done:
                event.set()

    def _write_lines(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads it: a log must not end its program
            if text:
                self._write(text)


def _waiting(queue: "SimpleQueue[Item]") -> tuple[list[str], list[threading.Event]]:
    """Return all that waits, at least one item.

    Lines are written together: after each write this thread has to wait for its turn again.
    """
    items = [queue.get()]
    with suppress(Empty):
        while True:
            items.append(queue.get_nowait())
    lines = [item for item in items if isinstance(item, str)]
    return lines, [item for item in items if not isinstance(item, str)]


def write_to(descriptor: int, text: str) -> None:
    """Write all of the text to the descriptor, however long that takes.

    Raises `OSError` if nobody can read it any more.
    """
    data = memoryview(text.encode(errors="backslashreplace"))
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # another program has made the terminal non-blocking
            _wait_until_writable(descriptor)


def _wait_until_writable(descriptor: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        selector.select()
