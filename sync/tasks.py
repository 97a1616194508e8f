"""Celery tasks of sync. In a process each runs once at a time, so that none takes all threads."""

from functools import cache

from celery import shared_task
from django.conf import settings

from signals.clock import utc_now
from signals.shutdown import stopping
from sync.record.running import Runner
from sync.single import SingleRun
from sync.webhooks.dispatcher import Dispatcher
from sync.webhooks.keeping import forget_old
from sync.worker import Deliverer, deliverer


@shared_task(name="sync.tasks.deliver")
def deliver() -> int:
    """Send what is due; return how many signals Alpine accepted.

    A wake-up or beat's schedule sends this task; losing or repeating it does no harm.
    """
    return _deliveries()() if settings.ALPINE_API_KEY else 0


@shared_task(name="sync.tasks.send_events")
def send_events() -> int:
    """Send the events that are due; return how many were accepted.

    A wake-up or beat's schedule sends this task; losing or repeating it does no harm.
    """
    return _events()()


@shared_task(name="sync.tasks.forget_events")
def forget_events() -> int:
    """Delete the events of which nothing is to be done any more; return how many."""
    return forget_old(utc_now())


@shared_task(name="sync.tasks.witness_record")
def witness_record() -> int:
    """Send checkpoints of the record to its witnesses; return how many were cosigned.

    Beat's schedule sends this task to every machine; only the one that owns the record acts.
    """
    return _witnessing()()


@shared_task(name="sync.tasks.stamp_record")
def stamp_record() -> int:
    """Have checkpoints of the record stamped; return how many stamps there are.

    Beat's schedule sends this task to every machine; only the one that owns the record acts.
    """
    return _stamping()()


@cache
def _witnessing() -> SingleRun:
    return SingleRun(lambda: Runner(stop=stopping).witness().delivered)


@cache
def _stamping() -> SingleRun:
    return SingleRun(lambda: Runner(stop=stopping).stamp().delivered)


@cache
def _deliveries() -> SingleRun:
    return SingleRun(lambda: _deliverer().run().delivered)


@cache
def _deliverer() -> Deliverer:
    """Return this process's deliverer, which keeps its connections from run to run.

    When the worker is asked to stop, a run finishes the requests under way and releases the other
    deliveries.
    """
    return deliverer(stopping)


@cache
def _events() -> SingleRun:
    return SingleRun(lambda: Dispatcher(stop=stopping).run().delivered)
