"""Problems: conditions that a person should know about, each with a code and what to do.

A module that reports problems declares its kinds in a tuple `KINDS` and yields those that exist now
from `problems(now)`; `argo.health.registry` names the modules. A kind's code never changes:
monitors and scripts compare it.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ProblemKind:
    """One kind of problem.

    Attributes:
        code: its name for programs, such as `sync.paused`; the part before the dot is the area.
        advice: what a person can do about it.
        page: the page of the manual that explains it, with an anchor: `recover.md#dead-letters`.
        is_of_node: each machine can have it alone, such as a full disk; if False, all machines
            that share the database share the problem.
    """

    code: str
    advice: str
    page: str = "recover.md#what-health-reports"
    is_of_node: bool = False

    def found(self, sentence: str, about: str = "") -> "Problem":
        """Return a problem of this kind; `about` tells it apart from others of the same kind."""
        return Problem(self, sentence, about)


@dataclass(frozen=True)
class Problem:
    """A problem that exists now. `sentence` says what is wrong, with its figures."""

    kind: ProblemKind
    sentence: str
    about: str = ""


def sentences(problems: Iterable[Problem]) -> list[str]:
    """Return the sentence of each problem, without repetition."""
    return list(dict.fromkeys(problem.sentence for problem in problems))
