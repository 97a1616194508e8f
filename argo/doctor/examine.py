"""Examines this installation: what health knows, the system checks, and the three troubles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.core.checks import WARNING, CheckMessage, run_checks

from argo.doctor import practices, speed, storing, syncing
from argo.doctor.check import Check, Finding, Repair, Result, Trouble
from argo.doctor.known import Known
from argo.doctor.limit import Limit
from argo.health import database, registry
from argo.health.bounded import NoAnswer
from argo.metrics import samples
from argo.metrics.samples import Growth
from signals.clock import utc_now
from signals.problems import Problem

ALSO_REPORTED = frozenset({"argo.E001", "argo.E004", "argo.W001", "argo.W004", "argo.W005",
                           "sync.W002"})  # fmt: skip
"""The system checks whose message is that of a problem or of a best practice, too."""
CHECKS_TITLE = "System checks"
CHECKS_PAGE = "operations.md#system-checks"


@dataclass(frozen=True)
class Examination:
    """What was found: the problems that health reports, and the checks of each trouble.

    `fixed` says what was fixed before, and what could not be.
    """

    problems: Sequence[Problem]
    troubles: Sequence[Trouble]
    fixed: Sequence[str] = field(default=())

    def with_result(self, result: Result) -> list[Check]:
        """Return the checks that ended so; one sentence once, and none that health reports."""
        told = {problem.sentence for problem in self.problems}
        found = [each for trouble in self.troubles for each in trouble.checks]
        once = {each.finding.sentence: each for each in reversed(found) if each.result is result}
        return [each for each in reversed(once.values()) if each.finding.sentence not in told]

    @property
    def problem_count(self) -> int:
        """Return how many problems there are: those of health, and those of the checks."""
        return len(self.problems) + len(self.with_result(Result.PROBLEM))

    @property
    def repairs(self) -> list[Repair]:
        """Return what is safe to fix."""
        checks = self.with_result(Result.PROBLEM)
        return [repair for check in checks for repair in check.finding.repairs]


def examine(limit: Limit | None = None, fixed: Sequence[str] = ()) -> Examination:
    """Ask everything. It takes a few seconds, and at most `limit`, whatever hangs."""
    limit = limit or Limit()
    known = _known(limit, utc_now())
    storing_checks = list(limit.answers(storing.questions(known)))
    speed_checks = list(limit.answers(speed.questions(known)))
    troubles = [
        Trouble(storing.TITLE, storing_checks),
        Trouble(speed.TITLE, speed_checks),
        Trouble(syncing.TITLE, list(limit.answers(syncing.questions(known)))),
        Trouble(practices.TITLE, list(limit.answers(practices.questions(known, speed_checks)))),
        Trouble(CHECKS_TITLE, _system_checks(limit, known)),
    ]
    return Examination(known.problems, troubles, fixed)


def repair(repairs: Iterable[Repair]) -> list[str]:
    """Fix what is safe to fix; return a line about each, also if it could not be fixed."""
    return [_apply(each) for each in repairs]


def _known(limit: Limit, now: datetime) -> Known:
    return Known(now, _problems(limit, now), _growth(limit, now))


def _problems(limit: Limit, now: datetime) -> list[Problem]:
    try:
        return limit.wait_for(lambda: registry.problems(now))
    except NoAnswer as error:
        return [database.no_answer(error)]
    except Exception as error:  # noqa: BLE001  # it is a problem itself
        return [registry.CHECK_FAILED.found(f"Looking for problems failed: {error}")]


def _growth(limit: Limit, now: datetime) -> Growth | None:
    """Return the growth of the counters; None if they cannot be read: `pool use` says why."""
    try:
        return limit.wait_for(lambda: samples.growth(settings.METRICS_DIR, now))
    except Exception:  # noqa: BLE001
        return None


def _system_checks(limit: Limit, known: Known) -> list[Check]:
    """Run Django's system checks; those of the database only if it answers."""
    databases = ["default"] if known.has_database else None
    try:
        messages = limit.wait_for(lambda: run_checks(databases=databases))
    except NoAnswer as error:
        return [Check("checks", Finding(Result.PROBLEM, f"There was {error}."))]
    return [
        Check(str(message.id), _finding(message))
        for message in messages
        if message.level >= WARNING and message.id not in ALSO_REPORTED
        and not message.is_silenced()
    ]  # fmt: skip


def _finding(message: CheckMessage) -> Finding:
    result = Result.PROBLEM if message.is_serious() else Result.WARNING
    return Finding(result, str(message.msg), str(message.hint or ""), CHECKS_PAGE)


def _apply(each: Repair) -> str:
    try:
        each.apply()
    except Exception as error:  # noqa: BLE001  # the next one may still succeed
        return f"Could not {each.text}: {error}"
    return f"Done: {each.text}"
