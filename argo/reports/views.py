"""The report and the comparison as pages of the admin's users.

The modules of figures are imported on demand, because they load pandas, pyarrow and scipy.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from argo.errors import ArgoError, FieldError, InvalidInput
from argo.reports.forms import fields_of, query_of
from argo.reports.style import frame
from argo.reports.turns import report_turn
from signals.api.auth import VIEW
from signals.clock import utc_now

Section = dict[str, Any]
View = Callable[..., HttpResponse]
PRESETS = (
    ("this month against last", "a.period=this-month&b.period=last-month"),
    ("this week against last", "a.period=this-week&b.period=last-week"),
    ("this year against last", "a.period=this-year&b.period=last-year"),
    ("bought against sold", "a.action=BUY&b.action=SELL"),
)


def for_viewers(view: View) -> View:
    """Return a view for members of staff who may see signals."""

    @wraps(view)
    def shown(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return staff_member_required(shown)


@for_viewers
def report(request: HttpRequest) -> HttpResponse:
    """Show the report on the signals that the query, with `ReportQuery`'s fields, selects; with
    `format` answer it as a file."""
    from argo.reports.downloads import download, format_of
    from argo.reports.page import report_context, report_page
    from argo.reports.report import make_report

    given = request.GET.copy()
    context: Section = frame(request) | {"fields": fields_of(given)}
    try:
        form = format_of(given)
        wanted, now = query_of(given), utc_now()
        with report_turn():
            found = make_report(wanted.selection(now), now)
    except ArgoError as error:
        return _refusal(request, "reports/report.html", context, error)
    if form:
        return download("report", form, found, report_page, now)
    context |= report_context(found) | {"address": given.urlencode()}
    return render(request, "reports/report.html", context)


@for_viewers
def compare(request: HttpRequest) -> HttpResponse:
    """Show two selections side by side: the fields of one begin with `a.`, of the other with `b.`;
    without any, only the form."""
    from argo.reports.compare.comparison import make_comparison
    from argo.reports.compare.page import comparison_context, comparison_page
    from argo.reports.downloads import download, format_of

    given = request.GET.copy()
    context: Section = frame(request) | {
        "sides": [(side, fields_of(given, f"{side.lower()}.")) for side in ("A", "B")],
        "presets": PRESETS,
    }
    try:
        form = format_of(given)
        _check_sides(given)
        a, b, now = query_of(given, "a."), query_of(given, "b."), utc_now()
        if not any(given.values()):
            return render(request, "reports/compare.html", context)
        with report_turn():
            found = make_comparison(a.selection(now), b.selection(now), now)
    except ArgoError as error:
        return _refusal(request, "reports/compare.html", context, error)
    if form:
        return download("comparison", form, found, comparison_page, now)
    context |= comparison_context(found) | {"address": given.urlencode()}
    return render(request, "reports/compare.html", context)


def _check_sides(given: Section) -> None:
    strange = [name for name in given if not name.startswith(("a.", "b."))]
    if strange:
        told = "is unknown; the fields begin with a. or b., as in a.symbol"
        raise InvalidInput([FieldError(name, told) for name in strange])


def _refusal(
    request: HttpRequest, template: str, context: Section, error: ArgoError
) -> HttpResponse:
    """Show the form again, with what is wrong."""
    faults = error.errors if isinstance(error, InvalidInput) else [FieldError("Argo", str(error))]
    status = HTTPStatus.BAD_REQUEST if isinstance(error, InvalidInput) else error.status
    answer = render(request, template, context | {"faults": faults}, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer["Retry-After"] = "5"
    return answer
