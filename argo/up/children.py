"""The processes that make up Argo, from the settings."""

import sys
from dataclasses import dataclass

from django.conf import settings

from argo.up.child import Spec
from signals.config import journal
from signals.dialect import is_shared

INTAKE, CLOCK, WORK, ALPINE = range(4)
"""The order of stopping: first what takes new signals, then what sends messages, then the workers,
and last the demo's Alpine, which the workers need."""

PAGES_NICENESS = 5
"""Signals go first: where the processors are busy, pages get a third of the time of the others."""

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
    # One thread to flush, and one for the sequence, so that a long flush does not delay the feed.
    # Each does one work at a time: there is one journal.
    Worker("flush", queues=("flush",), threads=2),
    # One thread for the deliveries to Alpine and one for the events; a run has its own threads.
    Worker("sync", queues=("sync",), threads=2),
    # Two threads, so that a slow broker delays no decision, and one for the work that can wait.
    Worker("execution", queues=("execution", "default"), threads=3),
)
GENERATION = Worker("generation", queues=("generation",), threads=1)
"""Runs only with a live market: its indicators and calendars take 150 MiB."""
RECORD = Worker("record", queues=("record",), threads=4)
"""Runs only where the public record is signed. One thread enters lines, one signs, one asks
witnesses, one has stamps made; a process of its own, so that they take no time from the flush."""
FLUSH_AND_RECORD = Worker("flush", queues=("flush", "record"), threads=3)
"""Runs instead of the worker `flush` where other machines may have a record that is signed there:
the lines of this machine must be entered here."""
BEAT_NODE = "celerybeat"


def specs(pages_socket: str = "pages") -> list[Spec]:
    """Return every process of this installation.

    The web server passes requests for pages on to the process that makes them, by `pages_socket`.
    """
    return [_web(pages_socket), _pages(pages_socket), _beat(), *map(_worker, workers())]


def names() -> list[str]:
    """Return the name of every process, without making anything in the data folder."""
    return ["web", "pages", "beat", *(worker.name for worker in workers())]


def workers() -> list[Worker]:
    """Return the workers that this installation needs."""
    flush, *others = WORKERS
    if settings.RECORD_ORIGIN:
        others.append(RECORD)
    elif is_shared("default"):
        flush = FLUSH_AND_RECORD
    return [flush, *others, *([GENERATION] if settings.MARKET_IS_LIVE else [])]


def _web(pages_socket: str) -> Spec:
    command = _python("argo.web", "argo.wsgi:application", "--pages-at", pages_socket)
    return Spec("web", command, INTAKE, STOP_TIMEOUT)


def _pages(pages_socket: str) -> Spec:
    command = _python("argo.web", "argo.wsgi:application", "--make-pages-at", pages_socket)
    return Spec("pages", command, INTAKE, STOP_TIMEOUT, niceness=PAGES_NICENESS)


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
