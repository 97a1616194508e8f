"""Runs child processes until it is asked to stop, and then stops them in order and cleanly."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from argo.up.child import Child, Launch, Spec, execute
from argo.up.managed_child import Backoff, ManagedChild

PrintLine = Callable[[str, str], None]
"""A function that prints a line under a name; several threads call it."""

OWN_NAME = "argo"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

CHECK_INTERVAL = 0.1
"""Seconds between two checks of the children."""

ECHO_WINDOW = 0.5
"""Seconds after the first signal during which another SIGINT is ignored as its echo: wrappers such
as `timeout` and `uv run` pass on a signal that the terminal has already sent to every process."""


class Supervisor:
    """Keeps the children that were added running. Use it on the main thread.

    SIGINT, SIGTERM and SIGHUP ask it to stop; another SIGINT makes it kill the children that still
    run. `print_line` gets the children's lines and its own; the children run in `folder`, and
    `launch` starts them.
    """

    def __init__(
        self,
        print_line: PrintLine,
        folder: Path,
        *,
        launch: Launch = execute,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._print_line, self._folder, self._launch = print_line, folder, launch
        self._backoff = backoff or Backoff()
        self._clock, self._sleep = clock, sleep
        self._children: list[ManagedChild] = []
        self._asked_at: float | None = None
        self._kill_now = False

    def add(self, spec: Spec) -> ManagedChild:
        """Add a child; it starts at the next check."""

        def say_line(line: str) -> None:
            self._print_line(spec.name, line)

        def start() -> Child:
            return Child(spec, say_line, self._folder, self._launch)

        child = ManagedChild(spec, start, self._say, self._backoff, self._clock)
        self._children.append(child)
        return child

    def ask_to_stop(self) -> None:
        """Make `run` stop the children and return."""
        if self._asked_at is None:
            self._asked_at = self._clock()

    def run(self, steps: Iterator[None]) -> bool:
        """Keep the children running until asked to stop; `steps` advances once per check.

        Return whether all children ended without being killed.
        """
        with self._handling_signals():
            try:
                while self._asked_at is None:
                    self._check(steps)
                    self._sleep(CHECK_INTERVAL)
            finally:
                self._stop()
        return not self._killed()

    def _check(self, steps: Iterator[None]) -> None:
        for child in self._children:
            child.check()
        next(steps, None)

    def _stop(self) -> None:
        self._say("Stopping. Press Ctrl-C again to kill what still runs.")
        for stage in sorted({child.spec.stage for child in self._children}):
            self._stop_all([child for child in self._children if child.spec.stage == stage])
        killed = self._killed()
        self._say(f"Stopped, but had to kill {' and '.join(killed)}." if killed else "Stopped.")

    def _stop_all(self, children: list[ManagedChild]) -> None:
        for child in children:
            child.ask_to_stop()
        while children:
            children = [child for child in children if not child.has_stopped(self._kill_now)]
            self._sleep(CHECK_INTERVAL)

    def _killed(self) -> list[str]:
        return [child.spec.name for child in self._children if child.was_killed]

    def _say(self, line: str) -> None:
        self._print_line(OWN_NAME, line)

    @contextmanager
    def _handling_signals(self) -> Iterator[None]:
        handled = [number for number in SIGNALS if not _is_ignored_hangup(number)]
        before = {number: signal.signal(number, self._on_signal) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked_at is None:
            self.ask_to_stop()
        elif number == signal.SIGINT and self._clock() - self._asked_at > ECHO_WINDOW:
            self._kill_now = True


def _is_ignored_hangup(number: signal.Signals) -> bool:
    """Return whether `nohup` made the program ignore SIGHUP, to outlive its terminal."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
