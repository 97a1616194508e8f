"""Deletes events that were sent long ago, or that nobody has taken for as long."""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from sync.models import EventDelivery

logger = logging.getLogger(__name__)
BATCH_SIZE = 2000


def forget_old(now: datetime) -> int:
    """Delete the events queued more than WEBHOOK_KEEP_DAYS ago; return how many.

    The log says how many of them no receiver has taken.
    """
    oldest = now - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    deleted = untaken = 0
    while rows := _next(oldest):
        old = EventDelivery.objects.filter(pk__in=rows).exclude(status="sending")
        untaken += old.exclude(status="delivered").count()
        deleted += old.delete()[0]
        if len(rows) < BATCH_SIZE:
            break
    if untaken:
        logger.error("%d events were given up: no receiver took them within %d days", untaken,
                     settings.WEBHOOK_KEEP_DAYS)  # fmt: skip
    return deleted


def _next(oldest: datetime) -> list[int]:
    old = EventDelivery.objects.filter(queued_at__lt=oldest).exclude(status="sending")
    return list(old.order_by("queued_at").values_list("pk", flat=True)[:BATCH_SIZE])
