"""Holds back interrupts, such as Ctrl-C, while the main thread writes for others.

Python runs the handlers of operating-system signals in the main thread, between any two
instructions, and many of them raise an exception there. Blocking the signals would not help: the
system gives them to another thread, and the main thread runs the handlers all the same.
"""

import signal
import time

# The functions of `signal` itself make enums of all handlers, which costs each write 25 us.
from _signal import getsignal  # type: ignore[import-not-found]
from _signal import signal as set_handler
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

NUMBERS = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1,
    signal.SIGUSR2,
)  # fmt: skip
"""What people, supervisors, time limits and Celery interrupt a process with."""

PATIENCE = 1.0
"""Seconds after which an interrupt that comes again is obeyed at once: a disk may hang."""

_Handler = Callable[[int, FrameType | None], Any]


class InterruptsHeld:
    """A block in the main thread that no interrupt breaks off; each happens when the block ends."""

    def __init__(self) -> None:
        self._handlers: dict[int, _Handler] = {}
        self._came: dict[int, float] = {}
        self._holds = True

    def __enter__(self) -> "InterruptsHeld":
        for number in NUMBERS:
            handler = getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                set_handler(number, self._hold)
        return self

    @property
    def any(self) -> bool:
        """Whether an interrupt waits for the end of the block."""
        return bool(self._came)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._holds = False
        try:
            for number, handler in self._handlers.items():
                set_handler(number, handler)
        finally:
            self._let_happen()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        """Note the interrupt; also harmless if it stays the handler after the block."""
        now = time.monotonic()
        if self._holds and now - self._came.setdefault(number, now) < PATIENCE:
            return
        self._handlers[number](number, frame)

    def _let_happen(self) -> None:
        while self._came:
            number, _ = self._came.popitem()
            try:
                signal.raise_signal(number)
            finally:
                self._let_happen()
