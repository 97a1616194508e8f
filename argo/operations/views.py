"""The pages of operations, for those who may see signals; the acts for administrators only."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from argo.dashboard.panel import Moment, read_each
from argo.dashboard.retrying import RETRIED, may_retry
from argo.operations import acts as acts_page
from argo.operations import history as history_page
from argo.operations import limits as limits_page
from argo.operations import problems as problems_page
from argo.operations.running import SECTIONS
from argo.site.viewed import SEE_ACTS, shown_to
from signals.api.auth import VIEW
from signals.clock import utc_now

PAGES_WITH_BUTTONS = ("running", "dashboard")
Read = Callable[[HttpRequest], dict[str, Any]]


@shown_to(VIEW)
def running(request: HttpRequest) -> HttpResponse:
    """Show what runs, and what waits for a person."""
    panels = list(read_each(SECTIONS, Moment(utc_now(), "")))
    found = {"panels": panels, "may": may_retry(request), "here": "running"}
    return _page(request, "running", "What runs", lambda _: found)


@require_POST
@shown_to(VIEW)
def retry(request: HttpRequest) -> HttpResponse:
    """Send or read again what the form names, then show the page of the button again."""
    wanted = RETRIED.get(request.POST.get("what", ""))
    if wanted is None:
        raise Http404
    if not request.user.has_perm(wanted.permission):
        raise PermissionDenied
    wanted.act(request)
    here = request.POST.get("here")
    return HttpResponseRedirect(reverse(here if here in PAGES_WITH_BUTTONS else "running"))


@shown_to(VIEW)
def problems(request: HttpRequest) -> HttpResponse:
    """Show the problems that exist, and those of the last day or month."""
    return _page(request, "problems", "Problems", problems_page.content)


@shown_to(VIEW)
def history(request: HttpRequest) -> HttpResponse:
    """Show the main figures of the last day or month."""
    return _page(request, "history", "Figures over time", history_page.content)


@shown_to(VIEW)
def limits(request: HttpRequest) -> HttpResponse:
    """Show the distance to each limit, before and after a trade."""
    return _page(request, "limits", "Limits", limits_page.content)


@shown_to(SEE_ACTS)
def acts(request: HttpRequest) -> HttpResponse:
    """Show who changed what."""
    return _page(request, "acts", "Who did what", acts_page.content)


def _page(request: HttpRequest, name: str, title: str, read: Read) -> HttpResponse:
    context = admin.site.each_context(request) | {"title": title} | read(request)
    return render(request, f"operations/{name}_page.html", context)
