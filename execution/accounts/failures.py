"""What made execution's tasks fail, kept for health until they succeed again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from execution.brokers.protocol import BrokerError
from execution.models import Failure
from signals.clock import Clock

logger = logging.getLogger(__name__)

Guard = Callable[[object], AbstractContextManager[None]]


@contextmanager
def each_isolated() -> Iterator[Guard]:
    """For things that are done one after the other, each `with guard(it):`.

    One that fails is logged and stops none that follow; the first failure is raised once all of
    them were tried.
    """
    failed: list[Exception] = []

    @contextmanager
    def guard(what: object) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            logger.exception("%s could not be looked after", what)
            failed.append(error)

    yield guard
    if failed:
        raise failed[0]


@contextmanager
def recording_failures(account: str, task: str, clock: Clock) -> Iterator[None]:
    """Keep what the task raises, which goes on; forget what it raised before once it is done."""
    mine = Failure.objects.filter(account=account, task=task)
    try:
        yield
    except Exception as error:
        Failure.objects.update_or_create(
            account=account,
            task=task,
            defaults={"error": _told(task, error), "failed_at": clock()},
        )
        raise
    if mine.exists():  # deleting nothing would wait for every writer, too
        mine.delete()


def failures(account: str) -> list[Failure]:
    """Those that stand, the latest first."""
    return list(Failure.objects.filter(account=account).order_by("-failed_at", "task"))


def _told(task: str, error: Exception) -> str:
    """In a sentence; of an error that is not the broker's with its kind."""
    if isinstance(error, BrokerError):
        return f"The broker failed: {error}"
    return f"Execution's task {task} failed: {type(error).__name__}: {error}"
