"""What health knows, for checks that ask about a part of it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from argo.doctor.check import Finding
from argo.health.report import is_silent
from argo.metrics.samples import Growth
from signals.problems import Problem
from signals.status_text import counted


class Known(NamedTuple):
    """The problems that health reports, and what the counters say about the last hour."""

    now: datetime
    problems: Sequence[Problem]
    growth: Growth | None

    @property
    def has_database(self) -> bool:
        """Return whether the database answers."""
        return not is_silent(self.problems)

    def problem(self, *codes: str, about: str = "") -> Problem | None:
        """Return the first problem with one of these codes; with `about`, only if it is that."""
        found = (each for each in self.problems if each.kind.code in codes)
        return next((each for each in found if about in ("", each.about)), None)

    def unless(
        self, codes: Sequence[str], otherwise: Callable[[], Finding], about: str = ""
    ) -> Finding:
        """Return the problem with one of these codes, otherwise what the function returns."""
        problem = self.problem(*codes, about=about)
        return Finding.of(problem) if problem else otherwise()

    def period(self) -> str:
        """Return the period that the counters cover, for a sentence."""
        seconds = self.growth.seconds if self.growth else 0.0
        return f"in the last {_length(seconds)}"


def _length(seconds: float) -> str:
    """Return how long that is: `hour` from an hour on, `5 minutes`, `20 seconds`."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return "hour"
    return f"{minutes} minutes" if minutes > 1 else counted(seconds, "second", "seconds")
