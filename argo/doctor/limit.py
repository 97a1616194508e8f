"""Asks questions whose answers may hang, each for a limited time and all of them together."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from django.db import DatabaseError

from argo.doctor.check import Check, Finding, Question, Result, problem, skipped
from argo.health.bounded import Bounded, NoAnswer
from argo.health.database import NO_ANSWER

T = TypeVar("T")
LONGEST = 45.0
"""Seconds for everything."""
LONGEST_ANSWER = 8.0
"""Seconds for one question."""
HANGS = (
    "Something hangs: a disk, a lock in the database, or the network. The other checks say more; "
    "run the doctor again."
)
FAILED = "This is an error in Argo, or a disk that fails: the log has the details."


class Limit:
    """The time that is left."""

    def __init__(self, seconds: float = LONGEST, each: float = LONGEST_ANSWER) -> None:
        self._ends = time.monotonic() + seconds
        self._each = each
        self._failed: set[str] = set()

    def wait_for(self, ask: Callable[[], T]) -> T:
        """Return the answer. Raises `NoAnswer` if it does not come in time, and what `ask` raises.

        The question is asked on a thread of its own, which a process's end does not wait for.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NoAnswer("no time was left for it")
        return Bounded(ask, wait=min(self._each, left))()

    def answers(self, questions: Iterable[Question]) -> Iterator[Check]:
        """Ask one question after the other; leave out those that need a check that failed, in this
        call or in an earlier one."""
        for question in questions:
            missing = [name for name in question.needs if name in self._failed]
            finding = _left_out(missing[0]) if missing else self._finding(question)
            if finding.result in (Result.PROBLEM, Result.SKIPPED):
                self._failed.add(question.name)
            yield Check(question.name, finding)

    def _finding(self, question: Question) -> Finding:
        try:
            return self.wait_for(question.ask)
        except NoAnswer as error:
            return problem(f"There was {error}.", HANGS)
        except DatabaseError as error:
            return problem(f"The database failed: {error}", NO_ANSWER.advice)
        except Exception as error:  # noqa: BLE001  # it is the finding
            return problem(f"The check failed: {error or type(error).__name__}", FAILED)


def _left_out(name: str) -> Finding:
    return skipped(f"left out, because of '{name}'")
