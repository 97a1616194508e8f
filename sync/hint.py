"""Asks a worker to look for deliveries, over Celery."""

from functools import cache

from django.db import connection

from signals.clock import utc_now
from signals.wakeup import Hint
from sync.models import OPEN, Delivery


def hint() -> None:
    """Say that deliveries wait. Returns at once; lost hints harm nothing."""
    delivery_hint().notify(1)


@cache
def delivery_hint() -> Hint:
    """Asks a worker to deliver, over Celery."""
    return Hint(_send, batch_size=1, linger=0.1)


def _send() -> None:
    from sync.tasks import deliver  # the task needs this module

    if not _is_being_sent():
        deliver.apply_async(expires=60, retry=False)


def _is_being_sent() -> bool:
    """Whether a worker is at it. It looks again before it ends: hints would only pile up."""
    try:
        sending = Delivery.objects.filter(OPEN, status=Delivery.Status.SENDING)
        return sending.filter(due_at__gt=utc_now()).exists()
    finally:
        connection.close()  # this thread may not need one for long
