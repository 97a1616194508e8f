"""A signal's page, for those who may see signals."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from argo.reports.explain.story import explain
from argo.signal_page.acts import acts
from argo.signal_page.prices import drawn, levels_of
from argo.signal_page.timeline import timeline
from argo.signal_page.votes import votes_of
from signals.api.auth import VIEW
from signals.ledger.queries import signal_of
from signals.record.proving.place import place_of


@never_cache
@staff_member_required
def signal_page(request: HttpRequest) -> HttpResponse:
    """Show the signal whose id the query has as `id`: an id may have any characters.

    Raises `NotFound`.
    """
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    signal_id = request.GET.get("id", "")
    story, row = explain(signal_id), signal_of(signal_id)
    context = admin.site.each_context(request) | {
        "title": f"{row.action} {row.symbol}",
        "story": story,
        "row": row,
        "acts": acts(story, row, request.user),
        "prices": drawn(story),
        "distances": levels_of(story.signal),
        "place": place_of(row.pk),
        "votes": votes_of(story.made.votes, row.action),
        "timeline": timeline(story.timeline),
    }
    return render(request, "signal_page/signal.html", context)
