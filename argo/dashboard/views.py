"""The dashboard as a page, and its panels alone, for the page that asks for them again."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from argo.dashboard import (
    accounts,
    confidence,
    decisions,
    equity,
    intake,
    positions,
    senders,
    signals,
    status,
    subscriptions,
    worth,
)
from argo.dashboard.panel import Content, Moment, Panel, read_each
from argo.dashboard.retrying import may_retry
from signals.api.auth import VIEW
from signals.clock import utc_now

LIVE = (
    Panel("status", "Is all well?", status.read, wide=True),
    Panel("signals", "Signals", signals.read),
    Panel("positions", "Open positions", positions.read),
    Panel("decisions", "Decisions", decisions.read),
    Panel("intake", "Storage and delivery", intake.read),
    Panel("alerts", "Alerts", senders.read),
    Panel("events", "Events to subscriptions", subscriptions.read),
)
"""Panels that the page asks for again every few seconds."""
SLOW = (
    Panel("equity", "Equity", equity.read, wide=True),
    Panel("worth", "What signals were worth", worth.read),
    Panel("confidence", "Is the confidence true?", confidence.read),
)
"""Panels that it asks for again every minute."""
SETS = {"live": LIVE, "slow": SLOW}


@never_cache
@staff_member_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show all panels."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    moment = _moment(request)
    context = admin.site.each_context(request) | {
        "title": "Dashboard",
        "account": moment.account,
        "now": moment.now,
        "may": may_retry(request),
        "here": "dashboard",
        "sets": [(name, list(read_each(panels, moment))) for name, panels in SETS.items()],
    }
    return render(request, "dashboard/dashboard.html", context)


@never_cache
def panels(request: HttpRequest) -> HttpResponse:
    """Show the panels of the set that the query names; without a login, ask for a new page."""
    if not (request.user.is_active and request.user.is_staff and request.user.has_perm(VIEW)):
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    found = SETS.get(request.GET.get("set", ""), ())
    content: list[Content] = list(read_each(found, _moment(request)))
    context = {"panels": content, "may": may_retry(request), "here": "dashboard"}
    return render(request, "dashboard/panels.html", context)


def _moment(request: HttpRequest) -> Moment:
    return Moment(utc_now(), accounts.chosen(request.GET.get("account", "")))
