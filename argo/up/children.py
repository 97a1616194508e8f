"""The processes that make up Argo, from the settings."""

import sys
from dataclasses import dataclass

from django.conf import settings

from argo.up.child import Spec
from signals.config import journal

INTAKE, CLOCK, WORK, ALPINE = range(4)
"""The order of stopping: first what takes new signals, then what sends messages, then the workers,
and last the demo's Alpine, which the workers need."""

STOP_TIMEOUT = 15.0
"""Seconds for the web server and beat to finish their work and stop."""


@dataclass(frozen=True)
class Worker:
    """One worker process, with its queues and its number of threads."""

    name: str
    queues: tuple[str, ...]
    threads: int

    @property
    def node(self) -> str:
        """Return its name among Celery's nodes.

        The data folder tells the machines apart, because several may have one host name: then
        RabbitMQ would refuse the second one's queue.
        """
        return f"{self.name}@{journal().identity}"


WORKERS = (
    # One thread: there is one journal, and two flushes would only wait for each other.
    Worker("flush", queues=("flush",), threads=1),
    # One thread too: a run of deliveries has its own threads.
    Worker("sync", queues=("sync",), threads=1),
    # Two threads, so that a slow broker delays no decision, and one for the work that can wait.
    Worker("execution", queues=("execution", "default"), threads=3),
)
GENERATION = Worker("generation", queues=("generation",), threads=1)
"""Runs only with a live market: its indicators and calendars take 150 MiB."""
BEAT_NODE = "celerybeat"


def specs() -> list[Spec]:
    """Return every process of this installation."""
    return [_web(), _beat(), *map(_worker, workers())]


def names() -> list[str]:
    """Return the name of every process, without making anything in the data folder."""
    return ["web", "beat", *(worker.name for worker in workers())]


def workers() -> list[Worker]:
    """Return the workers that this installation needs."""
    return [*WORKERS, GENERATION] if settings.MARKET_IS_LIVE else [*WORKERS]


def _web() -> Spec:
    command = _python("argo.web", "argo.wsgi:application")
    return Spec("web", command, INTAKE, STOP_TIMEOUT)


def _beat() -> Spec:
    command = _celery(
        "beat", "--enable-remote-control", "--hostname", f"{BEAT_NODE}@{journal().identity}"
    )
    return Spec("beat", command, CLOCK, STOP_TIMEOUT)


def _worker(worker: Worker) -> Spec:
    command = _celery(
        "worker", "--hostname", worker.node, "--queues", ",".join(worker.queues),
        "--pool", "threads", "--concurrency", worker.threads,
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip
    stop_timeout = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 10
    return Spec(worker.name, command, WORK, stop_timeout)


def _celery(command: str, *arguments: object) -> tuple[str, ...]:
    return _python("celery", "-A", "argo", "--quiet", command, *arguments)


def _python(module: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *map(str, arguments))
