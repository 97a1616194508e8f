"""Celery tasks of what joins signals, sync and execution. A message is only a hint."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from argo.health import past
from argo.idempotency import answers
from argo.metrics import history
from argo.reports.daily.schedule import make_due
from argo.track_record.schedule import publish_due
from signals.clock import utc_now


@shared_task(name="argo.tasks.report")
def report() -> str | None:
    """Make the daily report if it is due; return its day if it was made.

    Beat sends it every few minutes, so that one that failed, or was missed, is made soon.
    """
    day = make_due(utc_now())
    return str(day) if day else None


@shared_task(name="argo.tasks.track_records")
def track_records() -> bool:
    """Publish the track records if that is due; return whether it was done."""
    return publish_due(utc_now())


@shared_task(name="argo.tasks.sample")
def sample() -> bool:
    """Store the figures of the last five minutes, and forget those older than HISTORY_DAYS.

    Return False if they were stored already.
    """
    now = utc_now()
    is_new = history.take(now)
    history.thin(now)
    oldest = now - timedelta(days=settings.HISTORY_DAYS)
    history.forget_before(oldest)
    past.forget_before(oldest)
    answers.forget_before(now - timedelta(hours=settings.IDEMPOTENCY_HOURS))
    return is_new
