"""The failures of execution's tasks, kept for the health report until the tasks succeed again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from execution.brokers.protocol import BrokerError
from execution.models import Failure
from signals.clock import Clock
from signals.dialect import WHOLE_DATABASE

logger = logging.getLogger(__name__)

Guard = Callable[[object], AbstractContextManager[None]]


@contextmanager
def each_isolated() -> Iterator[Guard]:
    """Isolate things that are done one after the other, each in `with guard(it):`.

    A failure is logged and does not stop the others; the first one is raised after all were tried.
    A database that fails as a whole is raised at once.
    """
    failed: list[Exception] = []

    @contextmanager
    def guard(what: object) -> Iterator[None]:
        try:
            yield
        except WHOLE_DATABASE:
            raise
        except Exception as error:
            logger.exception("%s failed", what)
            failed.append(error)

    yield guard
    if failed:
        raise failed[0]


def unguarded(what: object) -> AbstractContextManager[None]:
    """Isolate nothing: the first failure is raised at once."""
    return nullcontext()


@contextmanager
def recording_failures(account: str, task: str, clock: Clock) -> Iterator[None]:
    """Store an error of the task and raise it again; remove the stored one when the task
    succeeds."""
    recorded = Failure.objects.filter(account=account, task=task)
    try:
        yield
    except Exception as error:
        Failure.objects.update_or_create(
            account=account,
            task=task,
            defaults={"error": _message(task, error), "failed_at": clock()},
        )
        raise
    if recorded.exists():  # on SQLite even an empty delete waits for every writer
        recorded.delete()


def failures(account: str) -> list[Failure]:
    """Return the stored failures, the latest first."""
    return list(Failure.objects.filter(account=account).order_by("-failed_at", "task"))


def _message(task: str, error: Exception) -> str:
    """Return a sentence; an error that is not the broker's is named with its type."""
    if isinstance(error, BrokerError):
        return f"The broker failed: {error}"
    return f"Execution's task {task} failed: {type(error).__name__}: {error}"
