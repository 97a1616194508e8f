"""Sends again: dead deliveries that a person has fixed, and signals that Alpine no longer has."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from signals import acts
from signals.status_text import counted
from sync.alpine import AlpineSyncService
from sync.models import Delivery
from sync.outbox import wake_deliver

Status = Delivery.Status


@dataclass(frozen=True)
class Comparison:
    """How many delivered signals Alpine was asked about, has, and gets again."""

    asked: int
    there: int
    queued: int


def retry_dead(
    now: datetime,
    *,
    signal_ids: Sequence[str] | None = None,
    since: datetime | None = None,
    who: str = acts.COMMAND_LINE,
) -> int:
    """Queue dead deliveries again, due at once, and return how many.

    `signal_ids` and `since`, the time of the last attempt, narrow the choice; without them it is
    every dead delivery. Deliveries that are not dead are left alone.
    """
    dead = Delivery.objects.filter(status=Status.DEAD)
    if signal_ids is not None:
        dead = dead.filter(signal__signal_id__in=signal_ids)
    if since is not None:
        dead = dead.filter(attempted_at__gte=since)
    with transaction.atomic():
        queued = dead.update(status=Status.PENDING, attempts=0, due_at=now, payload="")
        if queued:
            only = signal_ids[0] if signal_ids is not None and len(signal_ids) == 1 else ""
            about = counted(queued, "dead delivery", "dead deliveries")
            acts.record(acts.Kind.RETRY, about, who=who, at=now, signal_id=only, after="queued")
    if queued:
        wake_deliver()
    return queued


def resend_missing(service: AlpineSyncService, last: int, now: datetime) -> Comparison:
    """Ask Alpine for the `last` delivered signals, and queue those that it does not have.

    Raises `SyncError` if Alpine does not offer the query or does not answer; then nothing is
    queued.
    """
    delivered = Delivery.objects.filter(delivered_at__isnull=False).order_by("-delivered_at")
    rows = dict(delivered.values_list("pk", "signal__signal_id")[:last])
    with ThreadPoolExecutor(settings.SYNC_CONCURRENCY) as pool:
        there = pool.map(service.has, rows.values())
        missing = [row for row, is_there in zip(rows, there, strict=True) if not is_there]
    queued = Delivery.objects.filter(pk__in=missing, status=Status.DELIVERED).update(
        status=Status.PENDING, attempts=0, due_at=now, delivered_at=None
    )
    if queued:
        wake_deliver()
    return Comparison(len(rows), len(rows) - len(missing), queued)
