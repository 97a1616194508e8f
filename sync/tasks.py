"""Celery tasks of sync."""

import threading

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from sync.deliver import deliverer

_stop = threading.Event()


@shared_task(name="sync.tasks.deliver")
def deliver() -> int:
    """Send what is due; answers how many signals Alpine took.

    A hint, or beat's regular look; losing or repeating it harms nothing.
    """
    return deliverer(_stop).run().delivered if settings.ALPINE_API_KEY else 0


@worker_shutting_down.connect
def _end(**_: object) -> None:
    """Finish what is under way, and release the rest."""
    _stop.set()
