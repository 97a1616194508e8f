"""Makes the report that is due, in a process of its own.

A report takes seconds of a processor and much memory: in the worker it would delay decisions.
"""

import logging
import sys
from datetime import date, datetime

from django.conf import settings

from argo.errors import ArgoError
from argo.reports.daily import failure
from argo.reports.daily.days import due_day
from argo.reports.daily.files import folder, is_stored
from argo.up.child import Spec
from argo.up.once import run_once
from signals.files import make_folder
from signals.locks import FileLock, LockedByAnother

logger = logging.getLogger(__name__)
STOP_TIMEOUT = 15.0
NICENESS = 10
"""A report gives way to other processes, such as those that trade."""


class ReportFailed(ArgoError):
    """The process that makes a report failed."""


def make_due(now: datetime) -> date | None:
    """Make the last report that is due, if it is not there; return its day if it was made.

    A failure is kept for health, and the next call tries again. Raises `ReportFailed`.
    """
    if settings.REPORT_TIME is None:
        return None
    day = due_day(now, settings.REPORT_TIME)
    if is_stored(day):
        failure.clear()
        return None
    make_folder(folder())
    lock = FileLock(folder() / "lock")
    try:
        lock.acquire()
    except LockedByAnother:  # another worker is at it
        return None
    try:
        return _make(day)
    finally:
        lock.release()


def _make(day: date) -> date | None:
    if (ended := run_once(_spec(day))) is None:
        return None
    if ended.code:
        failure.keep(day, ended.why)
        raise ReportFailed(f"The daily report of {day} was not made: {ended.why}")
    failure.clear()
    logger.info("The daily report of %s is in %s", day, folder())
    return day


def _spec(day: date) -> Spec:
    manage = str(settings.BASE_DIR / "manage.py")
    command = (sys.executable, manage, "report", "--daily", str(day))
    return Spec("report", command, 0, STOP_TIMEOUT, once=True, niceness=NICENESS)
