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
    """Send what is due; answers how many signals Alpine took.

    A hint, or beat's regular look; losing or repeating it harms nothing.
    """
    return _deliverer().run().delivered if settings.ALPINE_API_KEY else 0


@cache
def _deliverer() -> Deliverer:
    """One for this process, which keeps its connections from one run to the next."""
    return deliverer(_stop)


@worker_shutting_down.connect
def _end(**_: object) -> None:
    """Finish what is under way, and release the rest."""
    _stop.set()
