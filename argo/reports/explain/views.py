"""A signal's story as a page of the admin's users."""

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from argo.errors import NotFound
from argo.reports.explain.story import explain
from argo.reports.explain.text import story_text
from signals.api.auth import VIEW


@staff_member_required
def explained(request: HttpRequest) -> HttpResponse:
    """Show the story of the signal whose id the query has as `id`."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    signal_id = request.GET.get("id", "")
    try:
        story = explain(signal_id)
    except NotFound as error:
        return HttpResponse(str(error), status=404, content_type="text/plain; charset=utf-8")
    values = {"signal_id": story.signal_id, "text": story_text(story)}
    return render(request, "reports/signal.html", values)
