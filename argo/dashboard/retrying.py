"""Sends again what waits for a person, as the button on the page asks."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

from argo.errors import ArgoError
from signals import acts
from signals.alerts.again import read_each
from signals.clock import utc_now
from signals.config import stored_handlers
from signals.ledger.retry import retry
from signals.models import Alert, DeadLetter
from signals.models.alert import UNREAD_ALERTS
from signals.status_text import counted
from sync.recovery import retry_dead
from sync.webhooks.retrying import retry_dead as retry_events

MOST = 200
"""Dead letters, or alerts, that one press of the button tries: each is a transaction."""


def deliveries(request: HttpRequest) -> None:
    """Queue all dead deliveries again."""
    queued = retry_dead(utc_now(), who=acts.user_of(request))
    text = counted(queued, "delivery is queued again.", "deliveries are queued again.")
    messages.success(request, text)


def letters(request: HttpRequest) -> None:
    """Try the oldest dead letters again, and say of each that fails why."""
    stored, failed = 0, dict[str, int]()
    for letter in DeadLetter.objects.filter(resolved_at=None).order_by("pk")[:MOST]:
        try:
            retry(letter, now=utc_now(), handlers=stored_handlers(), who=acts.user_of(request))
            stored += 1
        except ArgoError as error:
            failed[str(error)] = failed.get(str(error), 0) + 1
    messages.success(request, counted(stored, "dead letter is stored.", "dead letters are stored."))
    for why, number in failed.items():
        many = counted(number, "dead letter stays", "dead letters stay")
        messages.error(request, f"{many}: {why}")


def alerts(request: HttpRequest) -> None:
    """Read the oldest unread alerts again, and say how many still cannot be read."""
    oldest = Alert.objects.filter(UNREAD_ALERTS).select_related("sender").order_by("pk")[:MOST]
    each = list(read_each(oldest, who=acts.user_of(request), now=utc_now()))
    failed = sum(isinstance(found, ArgoError) for _, found in each)
    messages.success(request, counted(len(each) - failed, "alert is read.", "alerts are read."))
    if failed:
        many = counted(failed, "alert stays", "alerts stay")
        messages.error(request, f"{many} unread: correct the mapping of their sender.")


def events(request: HttpRequest) -> None:
    """Queue all dead events again."""
    queued = retry_events(utc_now(), who=acts.user_of(request))
    text = counted(queued, "event is queued again.", "events are queued again.")
    messages.success(request, text)


@dataclass(frozen=True)
class Retrying:
    """What a button sends again, and the permission that it needs."""

    permission: str
    act: Callable[[HttpRequest], None]


RETRIED = {
    "deliveries": Retrying("sync.change_delivery", deliveries),
    "letters": Retrying("signals.change_deadletter", letters),
    "alerts": Retrying("signals.change_alert", alerts),
    "events": Retrying("sync.change_eventdelivery", events),
}
"""By the name that the form sends."""


def may_retry(request: HttpRequest) -> dict[str, bool]:
    """Return which buttons the user of this request may press."""
    return {name: request.user.has_perm(each.permission) for name, each in RETRIED.items()}
