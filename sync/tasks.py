"""Celery tasks of sync."""

from functools import cache

from celery import shared_task
from django.conf import settings

from signals.shutdown import stopping
from sync.worker import Deliverer, deliverer


@shared_task(name="sync.tasks.deliver")
def deliver() -> int:
    """Send what is due; return how many signals Alpine accepted.

    A wake-up or beat's schedule sends this task; losing or repeating it does no harm.
    """
    return _deliverer().run().delivered if settings.ALPINE_API_KEY else 0


@cache
def _deliverer() -> Deliverer:
    """Return this process's deliverer, which keeps its connections from run to run.

    When the worker is asked to stop, a run finishes the requests under way and releases the other
    deliveries.
    """
    return deliverer(stopping)
