"""Asks a worker to look for deliveries, over Celery."""

from functools import cache

from signals.hints import Hint


def hint() -> None:
    """Say that deliveries wait. Returns at once; lost hints harm nothing."""
    _hint().notify(1)


@cache
def _hint() -> Hint:
    return Hint(_send, batch_size=1, linger=0.1)


def _send() -> None:
    from sync.tasks import deliver  # the task needs this module

    deliver.apply_async(expires=60, retry=False)
