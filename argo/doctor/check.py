"""A check: its name, its result, a sentence with the figure, and what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from signals.problems import Problem


class Result(StrEnum):
    """How a check ended. Only `PROBLEM` makes the doctor exit with 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "not checked"


@dataclass(frozen=True)
class Repair:
    """Something that is safe to fix: `text` says what `apply` does."""

    text: str
    apply: Callable[[], object]


@dataclass(frozen=True)
class Finding:
    """The answer to a question. `advice` says what to do, and `page` is a place in the manual."""

    result: Result
    sentence: str
    advice: str = ""
    page: str = ""
    repairs: tuple[Repair, ...] = ()

    @classmethod
    def of(cls, problem: Problem) -> "Finding":
        """Return a problem that health reports as a finding."""
        return cls(Result.PROBLEM, problem.sentence, problem.kind.advice, problem.kind.page)


@dataclass(frozen=True)
class Question:
    """A question to ask. It is left out if one of the checks in `needs` did not end well."""

    name: str
    ask: Callable[[], Finding]
    needs: tuple[str, ...] = ()


class Check(NamedTuple):
    """A question's name and its answer."""

    name: str
    finding: Finding

    @property
    def result(self) -> Result:
        return self.finding.result


class Trouble(NamedTuple):
    """A trouble that somebody may have, and the checks that look for its cause."""

    title: str
    checks: Sequence[Check]


def ok(sentence: str) -> Finding:
    """Return that all is well."""
    return Finding(Result.OK, sentence)


def warning(sentence: str, advice: str) -> Finding:
    """Return that something could be better."""
    return Finding(Result.WARNING, sentence, advice)


def problem(sentence: str, advice: str, *repairs: Repair) -> Finding:
    """Return that something is wrong."""
    return Finding(Result.PROBLEM, sentence, advice, repairs=repairs)


def skipped(sentence: str) -> Finding:
    """Return that there was nothing to check, or no way to do it."""
    return Finding(Result.SKIPPED, sentence)


def milliseconds(seconds: float) -> str:
    """Return a duration as text."""
    return f"{seconds * 1000:,.1f} ms"
