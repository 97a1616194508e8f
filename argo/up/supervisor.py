"""Runs children until it is asked to stop, and then ends them in order and in peace."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from argo.up.child import Child, Spec
from argo.up.managed_child import Backoff, Keeper

Tell = Callable[[str, str], None]
"""Called with a name and a line; from several threads."""

OWN_NAME = "argo"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LOOK_EVERY = 0.1
"""Seconds between two looks at the children."""

HURRY_AFTER = 0.5
"""Seconds after the first signal in which a SIGINT is taken for its echo: wrappers such as
`timeout` and `uv run` pass on what the terminal has sent to the whole process group already."""


class Supervisor:
    """Keeps the children running that `add` was called for. Use it on the main thread.

    SIGINT, SIGTERM and SIGHUP ask it to stop; a further SIGINT makes it kill what still runs.
    `tell` gets the children's lines and its own; `folder` is where the children run.
    """

    def __init__(
        self,
        tell: Tell,
        folder: Path,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tell, self._folder = tell, folder
        self._backoff = backoff or Backoff()
        self._clock, self._sleep = clock, sleep
        self._keepers: list[Keeper] = []
        self._asked_at: float | None = None
        self._hurried = False

    def add(self, spec: Spec) -> Keeper:
        """Take a child on; it starts with the next look."""

        def say_line(line: str) -> None:
            self._tell(spec.name, line)

        def start() -> Child:
            return Child(spec, say_line, self._folder)

        keeper = Keeper(spec, start, self._say, self._backoff, self._clock)
        self._keepers.append(keeper)
        return keeper

    def ask_to_stop(self) -> None:
        """Let `run` end the children and return."""
        if self._asked_at is None:
            self._asked_at = self._clock()

    def run(self, story: Iterator[None]) -> bool:
        """Look after the children until asked to stop; `story` advances with each look.

        Answers whether all of them ended in peace.
        """
        with self._listening():
            try:
                while self._asked_at is None:
                    self._look(story)
                    self._sleep(LOOK_EVERY)
            finally:
                self._stop()
        return not self._killed()

    def _look(self, story: Iterator[None]) -> None:
        for keeper in self._keepers:
            keeper.look()
        next(story, None)

    def _stop(self) -> None:
        self._say("Stopping; Ctrl-C again to kill what still runs.")
        for stage in sorted({keeper.spec.stage for keeper in self._keepers}):
            self._stop_all([keeper for keeper in self._keepers if keeper.spec.stage == stage])
        killed = self._killed()
        self._say(f"Stopped, but had to kill {' and '.join(killed)}." if killed else "Stopped.")

    def _stop_all(self, keepers: list[Keeper]) -> None:
        for keeper in keepers:
            keeper.ask_to_stop()
        while keepers:
            keepers = [keeper for keeper in keepers if not keeper.has_stopped(self._hurried)]
            self._sleep(LOOK_EVERY)

    def _killed(self) -> list[str]:
        return [keeper.spec.name for keeper in self._keepers if keeper.was_killed]

    def _say(self, line: str) -> None:
        self._tell(OWN_NAME, line)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        heard = [number for number in SIGNALS if not _is_muted(number)]
        before = {number: signal.signal(number, self._on_signal) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked_at is None:
            self.ask_to_stop()
        elif number == signal.SIGINT and self._clock() - self._asked_at > HURRY_AFTER:
            self._hurried = True


def _is_muted(number: signal.Signals) -> bool:
    """`nohup` mutes SIGHUP, so that the end of the terminal is not the end of the program."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
