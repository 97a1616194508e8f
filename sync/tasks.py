"""Celery tasks of sync."""

import threading
from functools import cache

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from sync.worker import Deliverer, deliverer

_stop = threading.Event()


@shared_task(name="sync.tasks.deliver")
def deliver() -> int:
    """Send what is due; return how many signals Alpine accepted.

    A wake-up or beat's schedule sends this task; losing or repeating it does no harm.
    """
    return _deliverer().run().delivered if settings.ALPINE_API_KEY else 0


@cache
def _deliverer() -> Deliverer:
    """Return this process's deliverer, which keeps its connections from run to run."""
    return deliverer(_stop)


@worker_shutting_down.connect
def _end(**_: object) -> None:
    """Let the run finish the requests under way and release the other deliveries."""
    _stop.set()
