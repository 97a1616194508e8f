"""The daily reports for users of the admin site."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from argo.reports.daily.files import read, stored
from argo.reports.downloads import TYPES
from argo.reports.style import frame
from argo.reports.views import for_viewers

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""For a page that is complete in itself: it has its own style, and nothing else."""


@for_viewers
def daily_reports(request: HttpRequest) -> HttpResponse:
    """List the daily reports of this machine."""
    context = frame(request) | {"title": "Daily reports", "days": list(stored().items())}
    return render(request, "reports/daily.html", context)


@for_viewers
def daily_report(request: HttpRequest, name: str) -> HttpResponse:
    """Show a daily report, or answer its figures as a file. Raises `NotFound`."""
    form, content = read(name)
    answer = HttpResponse(content, content_type=TYPES[form])
    if form == "html":
        answer["Content-Security-Policy"] = POLICY
    else:
        answer["Content-Disposition"] = f'attachment; filename="report-{name}"'
    return answer
