"""Sends events again: dead ones, those of a time, and one to test a subscription."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from signals import acts
from signals.clock import Clock, utc_now
from sync.models import DEAD_EVENTS, EventDelivery, Subscription
from sync.retry import SyncError
from sync.webhooks.outbox import event_of, wake_sender
from sync.webhooks.receiver import Receiver

TEST = "test"
"""The type of the event that a test sends; nothing else has it."""
Status = EventDelivery.Status


@dataclass(frozen=True)
class Tested:
    """What a receiver answered to a test; `status` is None if there was no answer."""

    accepted: bool
    status: int | None
    answer: str


def retry_dead(
    now: datetime,
    *,
    subscription: Subscription | None = None,
    ids: list[int] | None = None,
    who: str = acts.COMMAND_LINE,
) -> int:
    """Queue dead events again, due at once; return how many.

    Without `subscription` and `ids`, the primary keys of deliveries, it is every dead event.
    """
    dead = EventDelivery.objects.filter(DEAD_EVENTS)
    if subscription is not None:
        dead = dead.filter(subscription=subscription)
    if ids is not None:
        dead = dead.filter(pk__in=ids)
    return _queue_again(dead, "dead events", now, who)


def replay(
    subscription: Subscription, since: datetime, now: datetime, *, who: str = acts.COMMAND_LINE
) -> int:
    """Queue the events that the subscription had since then again, with their ids; return how many.

    Those that still wait for their first delivery are left alone.
    """
    past = EventDelivery.objects.filter(subscription=subscription, queued_at__gte=since)
    ended = past.filter(status__in=[Status.DELIVERED, Status.DEAD])
    return _queue_again(ended, f"events of {subscription.name}", now, who)


def _queue_again(chosen: QuerySet[EventDelivery], about: str, now: datetime, who: str) -> int:
    with transaction.atomic():
        queued = chosen.update(status=Status.PENDING, attempts=0, due_at=now, delivered_at=None)
        if queued:
            text = f"{queued} {about}"
            acts.record(acts.Kind.RETRY, text, who=who, at=now, after="queued")
    if queued:
        wake_sender()
    return queued


def send_test(
    subscription: Subscription, clock: Clock = utc_now, longest: float = float("inf")
) -> Tested:
    """Send one event of the type `test` now, and return the answer. Nothing is stored.

    It takes at most WEBHOOK_TIMEOUT or `longest` seconds.
    """
    data: dict[str, Any] = {"subscription": subscription.name}
    event = event_of(TEST, data, clock())
    try:
        receiver = Receiver.of(subscription, clock, longest)
        answer = receiver.send(event.event_id, event.body.encode())
    except SyncError as error:
        return Tested(accepted=False, status=error.status, answer=str(error))
    return Tested(accepted=True, status=answer.status, answer=answer.text)
