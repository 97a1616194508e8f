"""The one registry of problems: which modules report them.

A later part of Argo adds its module to `MODULES`: one with a tuple `KINDS` of its kinds, and a
function `problems` that yields those that exist now.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from django.db import DatabaseError

import argo.reports.daily.failure
import argo.track_record.failure
import execution.monitoring.problems
import signals.alerts.problems
import signals.health.problems
import signals.nodes.problems
import signals.record.log.problems
import signals.witness.problems
import sync.problems
import sync.record.problems
import sync.webhooks.problems
from argo.health import database, durability, intake, processes
from signals.problems import Problem, ProblemKind

logger = logging.getLogger(__name__)


class Module(Protocol):
    """A module that reports problems."""

    @property
    def KINDS(self) -> tuple[ProblemKind, ...]: ...
    def problems(self, now: datetime) -> Iterable[Problem]: ...


CHECK_FAILED = ProblemKind(
    "health.check_failed",
    "This is an error in Argo, or a disk that fails: the log has the details.",
    is_of_node=True,
)
MODULES: Sequence[Module] = (
    intake,
    database,
    processes,
    durability,
    signals.health.problems,
    signals.nodes.problems,
    signals.record.log.problems,
    signals.alerts.problems,
    signals.witness.problems,
    sync.problems,
    sync.webhooks.problems,
    sync.record.problems,
    execution.monitoring.problems,
    argo.reports.daily.failure,
    argo.track_record.failure,
)
"""In the order in which their problems are shown."""


def kinds() -> dict[str, ProblemKind]:
    """Return every kind of problem that there is, by its code."""
    listed = [CHECK_FAILED, *(kind for module in MODULES for kind in module.KINDS)]
    return {kind.code: kind for kind in listed}


class Findings(NamedTuple):
    """The problems that exist now, and the codes of those that could not be looked for."""

    problems: list[Problem]
    unknown: set[str]


def problems(now: datetime) -> list[Problem]:
    """Return all problems that exist now.

    If the database does not answer, these are it and those that are known without it.
    """
    if silent := database.problem_of_database():
        return [*intake.problems(now), silent]
    return look(now).problems


def look(now: datetime) -> Findings:
    """Look for all problems; the caller knows that the database answers.

    A module that fails hides no other one.
    """
    found, unknown = dict[Problem, None](), set[str]()
    for module in MODULES:
        try:
            found |= dict.fromkeys(module.problems(now))
        except Exception as error:  # noqa: BLE001  # it is reported as a problem
            found[_failure(module, error)] = None
            unknown |= {kind.code for kind in module.KINDS}
    return Findings([*found], unknown)


def _failure(module: Module, error: Exception) -> Problem:
    if isinstance(error, DatabaseError):
        return database.no_answer(error)
    name = str(getattr(module, "__name__", module))
    logger.error("The check of %s failed", name, exc_info=error)
    return CHECK_FAILED.found(f"The check of {name} failed: {error}", name)
