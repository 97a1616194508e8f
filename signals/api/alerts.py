"""Endpoints under /api/alerts: what senders sent, and what became of it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from argo.errors import ArgoError, FieldError, InvalidInput, NotFound
from signals.alerts.again import read_each, resolve_each
from signals.alerts.senders import sender_named
from signals.alerts.taking import Taken
from signals.api.alert_schemas import (
    MOST_READ,
    AlertItem,
    AlertPage,
    AlertQuery,
    ReadIn,
    ReadOut,
    Resolved,
)
from signals.api.auth import reader, who, writer
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.clock import utc_now
from signals.keyset import Page
from signals.models import Alert
from signals.models.alert import UNREAD_ALERTS, WAITING_ALERTS
from signals.retrieval.lists import answer, page_of

router = Router(tags=["alerts"])


@router.get(
    "", auth=reader, response={200: AlertPage, 404: Refused}, summary="Alerts, newest first"
)
def list_alerts(request: HttpRequest, query: Query[AlertQuery]) -> HttpResponse:
    """Return one page of alerts. A page by a filter without an index (all but `sender`, `alert_id`,
    `signal_id`, `status=unread` and `status=waiting`) may be short, or empty, and still have a
    `next`."""
    refuse_unknown(request, AlertQuery)
    return answer(_page(query), query)


@router.post(
    "/read", auth=writer, response={200: ReadOut, 404: Refused}, summary="Read unread alerts again"
)
def read_alerts(request: HttpRequest, choice: ReadIn) -> dict[str, Any]:
    """Read unread alerts again, the oldest first, at most 200 in one call: after their sender's
    settings were changed. None becomes a signal twice; those that still cannot be read stay."""
    chosen = _chosen(choice)
    alerts = list(chosen.order_by("pk")[: MOST_READ + 1])
    results = [
        {"alert_id": alert.alert_id, **_result(found)}
        for alert, found in read_each(alerts[:MOST_READ], who=who(request), now=utc_now())
    ]
    read = sum(each["status"] == "read" for each in results)
    more = len(alerts) > MOST_READ
    return {"read": read, "unread": len(results) - read, "more": more, "results": results}


@router.post(
    "/resolve",
    auth=writer,
    response={200: Resolved, 404: Refused},
    summary="Close unread alerts for good",
)
def resolve_alerts(request: HttpRequest, choice: ReadIn) -> dict[str, int]:
    """Close unread alerts without reading them, at most 200 in one call. They are kept."""
    alerts = _chosen(choice).order_by("pk")[:MOST_READ]
    return {"resolved": resolve_each(alerts, who=who(request), now=utc_now())}


@router.get(
    "/{alert_id}", auth=reader, response={200: AlertItem, 404: Refused}, summary="One alert"
)  # fmt: skip
def get_alert(request: HttpRequest, alert_id: str) -> Alert:
    """Return one alert, and what became of it."""
    rows = Alert.objects.select_related("sender")
    found = None if "\0" in alert_id else rows.filter(alert_id=alert_id).first()
    if found is None:
        raise NotFound(f"There is no alert {alert_id!r}, or it is not in the database yet.")
    return found


def _page(query: AlertQuery) -> Page[Alert]:
    """Return one page; what waits, is unread or belongs to one signal is found by an index."""
    chosen, among = Alert.objects.select_related("sender"), None
    if query.sender is not None:
        sender = sender_named(query.sender)
        chosen, among = chosen.filter(sender=sender), Alert.objects.filter(sender=sender)
    for name in ("alert_id", "signal_id"):
        if (value := getattr(query, name)) is not None:
            chosen = chosen.filter(**{name: value})
    if query.status is not None:
        chosen = chosen.filter(status=query.status)
    few = {"unread": UNREAD_ALERTS, "waiting": WAITING_ALERTS}.get(query.status or "")
    if few is not None:
        return page_of(chosen.filter(few), query, few=True)
    is_one = query.alert_id is not None or query.signal_id is not None
    return page_of(chosen, query, few=is_one, among=among)


def _chosen(choice: ReadIn) -> QuerySet[Alert]:
    """Return the unread alerts that are chosen. Raises NotFound for a sender that there is not."""
    chosen = Alert.objects.filter(UNREAD_ALERTS).select_related("sender")
    if choice.sender is not None:
        chosen = chosen.filter(sender=sender_named(choice.sender))
    if choice.alert_ids is not None:
        chosen = chosen.filter(alert_id__in=choice.alert_ids)
    return chosen


def _result(found: Taken | ArgoError) -> dict[str, Any]:
    if not isinstance(found, ArgoError):
        return {"status": "read", "signals": found.signals, "exits": found.exits, "errors": []}
    errors: tuple[FieldError, ...] = (FieldError("alert", str(found)),)
    if isinstance(found, InvalidInput):
        errors = found.errors
    return {"status": "unread", "signals": [], "exits": [], "errors": errors}
