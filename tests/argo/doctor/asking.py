"""Asks the doctor's questions in this process."""

from collections.abc import Callable, Iterable

from django.conf import settings

from argo.doctor.check import Finding, Question, Result
from argo.doctor.known import Known
from argo.doctor.limit import Limit
from argo.health import registry
from argo.metrics import samples
from signals.clock import utc_now

PROBLEM, WARNING, OK, SKIPPED = Result.PROBLEM, Result.WARNING, Result.OK, Result.SKIPPED


def known() -> Known:
    """Return what health and the counters know now."""
    now = utc_now()
    return Known(now, registry.problems(now), samples.growth(settings.METRICS_DIR, now))


def answers(questions: Iterable[Question], *, each: float = 30.0) -> dict[str, Finding]:
    """Return the findings by the names of their checks."""
    return {check.name: check.finding for check in Limit(each=each).answers(questions)}


def of(trouble: Callable[[Known], Iterable[Question]], *names: str) -> dict[str, Finding]:
    """Return the findings of a trouble; with names, only those and the database's."""
    questions = trouble(known())
    if names:
        questions = [each for each in questions if each.name in (*names, "database")]
    return answers(questions)
