"""The processes that make up Argo, from the settings."""

import socket
import sys
from dataclasses import dataclass

from django.conf import settings

from argo.up.child import Spec

INTAKE, CLOCK, WORK, ALPINE = range(4)
"""The order of stopping: no new signals, then no new messages, then the work that is under way;
what plays Alpine in the demo is needed until then."""

PATIENCE = 15.0
"""Seconds that the web server and beat get to end what they are at."""

KILLED_AFTER = 10
"""Seconds for granian's own worker, which does not hear that it is to stop while it starts."""

HEADERS_WITHIN = 5000
"""Milliseconds for the head of a request; an unfinished one would hold up the end so long."""


@dataclass(frozen=True)
class Worker:
    """One worker process: which queues it serves, on how many threads."""

    name: str
    queues: tuple[str, ...]
    threads: int

    @property
    def node(self) -> str:
        """What it is called among Celery's nodes."""
        return f"{self.name}@{socket.gethostname()}"


WORKERS = (
    # One thread: there is one journal, and two flushes at once would only wait for each other.
    Worker("flush", queues=("flush",), threads=1),
    # One thread, too: a run of deliveries has threads of its own.
    Worker("sync", queues=("sync",), threads=1),
    # Two: a look at a slow broker holds up no decision.
    Worker("execution", queues=("execution",), threads=2),
)
GENERATION = Worker("generation", queues=("generation",), threads=1)
"""Only where a live market is set: its indicators and calendars take 150 MiB."""
BEAT_NODE = "celerybeat"


def specs() -> list[Spec]:
    """Every process of this installation."""
    return [_web(), _beat(), *map(_worker, workers())]


def workers() -> list[Worker]:
    """The workers that this installation needs."""
    return [*WORKERS, GENERATION] if settings.MARKET_IS_LIVE else [*WORKERS]


def _web() -> Spec:
    command = _python(
        "granian", "argo.wsgi:application", "--interface", "wsgi", "--workers", "1", "--no-ws",
        "--host", settings.WEB_HOST, "--port", settings.WEB_PORT,
        "--blocking-threads", settings.WEB_THREADS, "--log-level", "error",
        "--http1-header-read-timeout", HEADERS_WITHIN, "--workers-kill-timeout", KILLED_AFTER,
    )  # fmt: skip
    return Spec("web", command, INTAKE, PATIENCE)


def _beat() -> Spec:
    command = _celery("beat", "--enable-remote-control", "--hostname", BEAT_NODE + "@%h")
    return Spec("beat", command, CLOCK, PATIENCE)


def _worker(worker: Worker) -> Spec:
    command = _celery(
        "worker", "--hostname", worker.node, "--queues", ",".join(worker.queues),
        "--pool", "threads", "--concurrency", worker.threads,
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip
    longest = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 10
    return Spec(worker.name, command, WORK, longest)


def _celery(command: str, *arguments: object) -> tuple[str, ...]:
    level = ("--loglevel", settings.LOG_LEVEL)
    return _python("celery", "-A", "argo", "--quiet", command, *level, *arguments)


def _python(module: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *map(str, arguments))
