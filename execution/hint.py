"""Asks a worker to look for decisions, over Celery."""

from functools import cache

from signals.wakeup import Hint


def hint() -> None:
    """Say that decisions wait. Returns at once; lost hints harm nothing."""
    decision_hint().notify(1)


@cache
def decision_hint() -> Hint:
    """Asks a worker to decide, over Celery."""
    return Hint(_send, batch_size=1, linger=0.05)


def _send() -> None:
    from execution.tasks import execute  # the task needs this module

    execute.apply_async(expires=60, retry=False)
