"""Makes the report of a day, the same however late it is made."""

from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q

from argo.errors import FieldError, InvalidInput
from argo.reports.daily.days import end_of
from argo.reports.daily.files import remove_old, store
from argo.reports.downloads import FORMATS, encode
from argo.reports.origins import HINDSIGHT
from argo.reports.page import report_page
from argo.reports.report import make_report
from execution.analysis.selection import DecidedSelection
from signals.models import SignalContext
from signals.timestamps import texts_upto


def make_daily(day: date, now: datetime) -> list[Path]:
    """Write the report of everything that was known at the end of the account's `day`, remove the
    reports that are too old, and return the paths.

    It is about the origin of the track record, if there is one, and about every day until then. To
    make it again gives the same files: it is dated at the end of its day.

    Raises `InvalidInput` if the day is not over, and OSError.
    """
    end = end_of(day)
    if end > now:
        told = f"is not over: its report can be made from {end.isoformat()} on"
        raise InvalidInput([FieldError(str(day), told)])
    wanted = DecidedSelection(as_of=end, origin=_origin(end))
    report = make_report(wanted, end)
    paths = store(day, {form: encode(form, report, report_page) for form in FORMATS})
    remove_old(day, settings.REPORT_KEEP_DAYS)
    return paths


def _origin(end: datetime) -> str | None:
    """Return the origin that most signals received until `end` have and that allows no hindsight;
    None if no signal has one."""
    last, whole = texts_upto(end)
    received = SignalContext.objects.filter(Q(received_at__lte=last) | Q(received_at=whole))
    signals = received.exclude(origin__in=HINDSIGHT)
    found = signals.values_list("origin").annotate(n=Count("pk")).order_by("-n", "origin").first()
    return str(found[0]) if found else None
