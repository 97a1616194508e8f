"""Asks Alpine whether it really has what it took, and sends what it lacks again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from sync.alpine import AlpineSyncService
from sync.models import Delivery
from sync.outbox import wake_deliver


@dataclass(frozen=True)
class Reconciled:
    """Of the deliveries `asked` about, how many signals are there, and how many were queued."""

    asked: int
    there: int
    queued: int


def reconcile(service: AlpineSyncService, last: int, now: datetime) -> Reconciled:
    """Compare the last so many delivered signals with what Alpine has.

    Raises SyncError where Alpine does not offer the query, or does not answer.
    """
    delivered = Delivery.objects.filter(delivered_at__isnull=False).order_by("-delivered_at")
    rows = dict(delivered.values_list("pk", "signal__signal_id")[:last])
    with ThreadPoolExecutor(settings.SYNC_CONCURRENCY) as pool:
        there = pool.map(service.has, rows.values())
        lacking = [row for row, is_there in zip(rows, there, strict=True) if not is_there]
    queued = Delivery.objects.filter(pk__in=lacking, status=Delivery.Status.DELIVERED).update(
        status=Delivery.Status.PENDING, attempts=0, due_at=now, delivered_at=None
    )
    if queued:
        wake_deliver()
    return Reconciled(len(rows), len(rows) - len(lacking), queued)
