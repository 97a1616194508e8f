"""Keeps one child running: starts it again when it dies, each time a little later."""

from collections.abc import Callable
from dataclasses import dataclass

from argo.up.child import Child, Spec, describe


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a child is started again, in seconds.

    The wait doubles from `first` to `most`; after a child that lived for `steady` it begins anew.
    """

    first: float = 1.0
    most: float = 30.0
    steady: float = 60.0

    def wait(self, deaths: int) -> float:
        """The wait after so many deaths in a row."""
        return min(self.most, self.first * 2.0 ** min(deaths - 1, 30))


class Keeper:
    """Looks after the child that `spec` describes.

    `start` makes it, `say` tells what happens to it, `clock` counts seconds.
    """

    def __init__(
        self,
        spec: Spec,
        start: Callable[[], Child],
        say: Callable[[str], None],
        backoff: Backoff,
        clock: Callable[[], float],
    ) -> None:
        self.spec = spec
        self.child: Child | None = None
        self.exit_code: int | None = None
        self.was_killed = False
        self._start, self._say, self._backoff, self._clock = start, say, backoff, clock
        self._deaths = 0
        self._due = self._started = clock()
        self._patience_ends = 0.0

    @property
    def is_finished(self) -> bool:
        """Whether a child that runs once has run; `exit_code` says how it went."""
        return self.spec.once and self.exit_code is not None

    def look(self) -> None:
        """Start the child where that is due; notice that it died."""
        if self.child is not None:
            if self.child.has_ended():
                self._plan_next(f"ended {describe(self._bury(self.child))}")
        elif not self.is_finished and self._clock() >= self._due:
            self._try_start()

    def ask_to_stop(self) -> None:
        """Ask the child, where there is one; its patience runs from now on."""
        self._patience_ends = self._clock() + self.spec.patience
        if self.child is not None:
            self.child.ask()

    def has_stopped(self, hurried: bool) -> bool:
        """Whether it is gone; killed first where it is `hurried` or took too long."""
        if self.child is None:
            return True
        if self.child.has_ended():
            self._bury(self.child)
            return True
        if not self.was_killed and (hurried or self._clock() >= self._patience_ends):
            self.was_killed = True
            self.child.kill()
        return False

    def _bury(self, child: Child) -> int:
        self.exit_code = child.bury()
        self.child = None
        return self.exit_code

    def _try_start(self) -> None:
        self._started = self._clock()
        try:
            self.child = self._start()
        except OSError as error:
            self._plan_next(f"could not be started ({error})")

    def _plan_next(self, what: str) -> None:
        if self.is_finished:
            return
        now = self._clock()
        lived = now - self._started
        self._deaths = 1 if lived >= self._backoff.steady else self._deaths + 1
        wait = self._backoff.wait(self._deaths)
        self._due = now + wait
        self._say(
            f"{self.spec.name} {what} after {lived:.0f} s; "
            f"restart {self._deaths} follows in {wait:g} s."
        )
