"""Tells which processes are missing, by their heartbeats, and whether the broker answers."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from argo.celery import ON_ONE_MACHINE, OWN_QUEUES, app
from argo.health.bounded import Bounded, NoAnswer
from signals import config
from signals.files import make_folder
from signals.health.heartbeats import Signs
from signals.problems import Problem, ProblemKind

FLUSH = "flush"
"""The queue without which nothing is stored."""
BROKER_WAIT = 1.0
"""Seconds until a broker counts as not answering."""
BROKER_FRESH = 5.0
"""Seconds for which an answer about the broker is used again."""

NO_WORKER = ProblemKind(
    "worker.missing",
    "Start Argo with argo up, or the worker of this queue. If it runs, its log says why it is "
    "silent.",
    "recover.md#a-process-is-missing",
    is_of_node=True,
)
NO_BEAT = ProblemKind(
    "beat.missing",
    "Start Argo with argo up, or beat, on one machine. Until then nothing happens on schedule.",
    "recover.md#a-process-is-missing",
)
NO_BROKER = ProblemKind(
    "broker.no_answer",
    "Start Redis or RabbitMQ, or correct CELERY_BROKER_URL; if the broker is a folder, correct its "
    "owner and permissions, or delete it: it is made again. Signals are accepted meanwhile, and "
    "nothing is lost.",
    is_of_node=True,
)
KINDS = (NO_WORKER, NO_BEAT, NO_BROKER)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems of the processes and of the broker between them."""
    signs = Signs.read()
    for queue in sorted(queues_in_use()):
        node = config.journal().identity if queue in OWN_QUEUES else None
        if not signs.serves(queue, node):
            where = " on this machine" if node else ""
            silence = _silence(signs.silent_for(queue, node))
            yield NO_WORKER.found(f"No worker serves the queue {queue}{where}: {silence}.", queue)
    if not signs.has_beat():
        yield NO_BEAT.found(f"Beat does not run: {_silence(signs.beat_silent_for())}.")
    yield from broker_problems()


def queues_in_use() -> set[str]:
    """Return the queues that the schedule sends to; each needs a worker."""
    tasks = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    return {_queue_of(task) for task in tasks}


def _queue_of(task: str) -> str:
    route: dict[str, Any] = app.amqp.router.route({}, task)
    queue = route["queue"]
    return str(queue.alias or queue.name)


def _silence(seconds: float | None) -> str:
    if seconds is None:
        return "there was no sign of one in the last day"
    return f"the last sign of life was {seconds:.0f} s ago"


def broker_problems() -> Iterator[Problem]:
    """Yield a problem if the broker does not answer; that needs no database."""
    try:
        _probe()
    except NoAnswer as error:
        yield _no_broker(str(error))
    except Exception as error:  # noqa: BLE001  # whatever a broker's client may raise
        yield _no_broker(str(error) or type(error).__name__)


def _no_broker(why: str) -> Problem:
    return NO_BROKER.found(f"The Celery broker {_address()} does not answer: {why}")


def _address() -> str:
    """Return the broker's folder, or its URL without the password."""
    if ON_ONE_MACHINE:
        return str(settings.BROKER_DIR)
    return str(app.connection_for_write(settings.CELERY_BROKER_URL).as_uri())


def _ask() -> None:
    """Connect once; a broker in a folder must let a file be made there."""
    if ON_ONE_MACHINE:
        make_folder(settings.BROKER_DIR)
        with tempfile.TemporaryFile(dir=settings.BROKER_DIR):
            return
    with app.connection_for_write(settings.CELERY_BROKER_URL) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0)


_probe = Bounded(_ask, wait=BROKER_WAIT, fresh=BROKER_FRESH)
