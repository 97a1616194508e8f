"""The report as a page of the admin's users.

The modules of figures are imported on demand, because they load pandas, pyarrow and scipy.
"""

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from pydantic import ValidationError

from execution.analysis.selection import DecidedSelection
from signals.api.auth import VIEW
from signals.clock import utc_now


@staff_member_required
def report(request: HttpRequest) -> HttpResponse:
    """Show the report on the signals that the query, with `DecidedSelection`'s fields, selects."""
    from argo.reports.page import report_page
    from argo.reports.report import make_report

    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    given = {name: value for name, value in request.GET.items() if value}
    try:
        wanted = DecidedSelection.model_validate(given)
    except ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        return HttpResponseBadRequest("\n".join(faults), content_type="text/plain; charset=utf-8")
    return HttpResponse(report_page(make_report(wanted, utc_now())))
