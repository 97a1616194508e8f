"""The six best practices, and how each is recognised. One that is not followed is a warning."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.checks import CheckMessage

from argo import checks
from argo.doctor.check import Check, Finding, Question, Result, ok, warning
from argo.doctor.known import Known
from argo.doctor.storing import DATABASE
from execution import status
from signals.dialect import is_shared
from signals.status_text import counted
from sync.checks import sync_is_off

TITLE = "Best practices"
OUTCOMES_OF = timedelta(days=7)
"""Positions that closed within this time should have an outcome."""
AT_START = ["default"]
"""The databases to name to a check that only runs before Argo starts."""
NO_OUTCOMES = (
    "Record them in the admin site, or with PATCH /api/signals/{signal_id}/outcome: a position "
    "that was settled by hand has no exit price."
)


def questions(known: Known, before: Iterable[Check]) -> Iterator[Question]:
    """Yield a question about each practice; some were answered by the checks `before`."""
    answered = {check.name: check.finding for check in before}

    def same_as(name: str) -> Finding:
        return _at_most_a_warning(answered[name])

    yield Question("store asynchronously", partial(same_as, "waiting callers"))
    yield Question("batch signals", partial(same_as, "batches"))
    yield Question("latency below 500 ms", partial(same_as, "latency"))
    yield Question("track outcomes", partial(_outcomes, known), needs=(DATABASE,))
    yield Question("sync to Alpine", lambda: _of(sync_is_off(AT_START), "is on"))
    yield Question("pool connections", lambda: _of(checks.pool_of_one(AT_START), _pool()))


def _at_most_a_warning(finding: Finding) -> Finding:
    if finding.result is Result.PROBLEM:
        return warning(finding.sentence, finding.advice)
    return finding


def _outcomes(known: Known) -> Finding:
    since = known.now - OUTCOMES_OF
    missing = status.closed_without_outcome(settings.TRADING_ACCOUNT, since)
    if missing:
        positions = counted(missing, "position", "positions")
        return warning(f"{positions} closed this week without an outcome.", NO_OUTCOMES)
    return ok("every position that closed this week has one")


def _of(messages: Iterable[CheckMessage], otherwise: str) -> Finding:
    """Return the warning of a system check, or that all is well."""
    for message in messages:
        return warning(message.msg, message.hint or "")
    return ok(otherwise)


def _pool() -> str:
    is_postgresql = is_shared("default")
    size = settings.DATABASE_POOL_SIZE if is_postgresql else settings.SIGNAL_POOL_SIZE
    return f"{size} a process"
