"""A child process that is started again when it dies, each time after a longer wait."""

from collections.abc import Callable
from dataclasses import dataclass

from argo.up.child import Child, Spec, describe


@dataclass(frozen=True)
class Backoff:
    """The wait before a child is started again, in seconds.

    The wait doubles from `first` to `most`; it starts at `first` again after a child has lived
    for `steady`.
    """

    first: float = 1.0
    most: float = 30.0
    steady: float = 60.0

    def wait(self, deaths: int) -> float:
        """Return the wait after this number of deaths in a row."""
        return min(self.most, self.first * 2.0 ** min(deaths - 1, 30))


class ManagedChild:
    """Starts, restarts and stops the child that `spec` describes.

    `start` starts it, `say` reports what happens to it, `clock` counts seconds.
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
        self._kill_at = 0.0

    @property
    def is_finished(self) -> bool:
        """Return whether a child that runs once has run; its `exit_code` is set then."""
        return self.spec.once and self.exit_code is not None

    def check(self) -> None:
        """Start the child if that is due; plan a restart if it has died."""
        if self.child is not None:
            if self.child.has_ended():
                self._plan_restart(f"ended {describe(self._reap(self.child))}")
        elif not self.is_finished and self._clock() >= self._due:
            self._try_start()

    def ask_to_stop(self) -> None:
        """Ask the child to stop; its stop timeout starts now."""
        self._kill_at = self._clock() + self.spec.stop_timeout
        if self.child is not None:
            self.child.ask_to_stop()

    def has_stopped(self, kill_now: bool) -> bool:
        """Return whether it has ended; kill it if its stop timeout is over, or with `kill_now`."""
        if self.child is None:
            return True
        if self.child.has_ended():
            self._reap(self.child)
            return True
        if not self.was_killed and (kill_now or self._clock() >= self._kill_at):
            self.was_killed = True
            self.child.kill()
        return False

    def _reap(self, child: Child) -> int:
        self.exit_code = child.reap()
        self.child = None
        return self.exit_code

    def _try_start(self) -> None:
        self._started = self._clock()
        try:
            self.child = self._start()
        except OSError as error:
            self._plan_restart(f"could not be started ({error})")

    def _plan_restart(self, what: str) -> None:
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
