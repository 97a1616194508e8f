"""Tells long loops of a worker that it is asked to stop, so that they end after their batch."""

import threading

from celery.signals import worker_shutting_down

stopping = threading.Event()
"""Set in a worker process from the moment when it is asked to stop."""


@worker_shutting_down.connect
def _begin(**_: object) -> None:
    stopping.set()
