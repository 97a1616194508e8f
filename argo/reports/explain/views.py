"""A signal's story as a page of the admin's users."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from argo.reports.explain.story import explain
from argo.reports.explain.text import story_text
from signals.api.auth import VIEW


@staff_member_required
def explained(request: HttpRequest) -> HttpResponse:
    """Show the story of the signal whose id the query has as `id`. Raises `NotFound`."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    story = explain(request.GET.get("id", ""))
    context = admin.site.each_context(request) | {
        "title": f"The story of {story.signal_id}",
        "signal_id": story.signal_id,
        "text": story_text(story),
    }
    return render(request, "reports/signal.html", context)
