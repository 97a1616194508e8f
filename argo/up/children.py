"""The processes that make up Argo on this machine, from its roles and the settings."""

import sys
from dataclasses import dataclass

from django.conf import settings

from argo.up import roles
from argo.up.child import Spec
from argo.up.roles import Roles
from signals.config import journal
from signals.dialect import is_shared

INTAKE, PAGES, CLOCK, WORK, ALPINE = range(5)
"""The order of stopping: first what takes new signals, then what makes its pages, then what sends
messages, then the workers, and last the demo's Alpine, which the workers need."""

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


FLUSH = Worker("flush", queues=("flush",), threads=2)
"""One thread to flush, and one for the sequence, so that a long flush does not delay the feed.
Each does one work at a time: there is one journal."""
SYNC = Worker("sync", queues=("sync",), threads=2)
"""One thread for the deliveries to Alpine and one for the events; a run has its own threads."""
EXECUTION = Worker("execution", queues=("execution", "default"), threads=3)
"""Two threads, so that a slow broker delays no decision, and one for the work that can wait."""
GENERATION = Worker("generation", queues=("generation",), threads=1)
"""Runs only with a live market: its indicators and calendars take 150 MiB."""
RECORD = Worker("record", queues=("record",), threads=4)
"""Runs only where the public record is signed. One thread enters lines, one signs, one asks
witnesses, one has stamps made; a process of its own, so that they take no time from the flush."""
FLUSH_AND_RECORD = Worker("flush", queues=("flush", "record"), threads=3)
"""Runs instead of the worker `flush` where other machines may have a record that is signed there:
the lines of this machine must be entered here."""
SMALL = "work"
"""The worker of a small machine that does all but storing: a hung broker must not delay a flush."""
BEAT_NODE = "celerybeat"


def specs(chosen: Roles, pages_socket: str = "pages") -> list[Spec]:
    """Return every process of this machine.

    The web server passes requests for pages on to the process that makes them, by `pages_socket`.
    """
    return [*_servers(chosen, pages_socket), *_beats(chosen), *map(_worker, workers(chosen))]


def names(chosen: Roles) -> list[str]:
    """Return the name of every process, without making anything in the data folder."""
    web = roles.WEB in chosen
    servers = ["web"] * web + ["pages"] * (web and not chosen.is_small)
    beat = ["beat"] if roles.BEAT in chosen else []
    return [*servers, *beat, *(worker.name for worker in workers(chosen))]


def workers(chosen: Roles) -> list[Worker]:
    """Return the workers of this machine."""
    found = [FLUSH_AND_RECORD if _enters_here(chosen) else FLUSH] if roles.FLUSH in chosen else []
    others = [SYNC, EXECUTION, RECORD, GENERATION]
    others = [worker for worker in others if worker.name in chosen]
    return found + (_as_one(others) if chosen.is_small else others)


def celery_nodes(chosen: Roles) -> list[str]:
    """Return what must answer on this machine, by its name among Celery's nodes."""
    beat = [beat_node()] if roles.BEAT in chosen else []
    return [*(worker.node for worker in workers(chosen)), *beat]


def beat_node() -> str:
    """Return the name of this machine's beat among Celery's nodes."""
    return f"{BEAT_NODE}@{journal().identity}"


def _enters_here(chosen: Roles) -> bool:
    """Return whether the worker `flush` enters this machine's lines into the record, too."""
    if roles.RECORD in chosen:
        return False
    return bool(settings.RECORD_ORIGIN) or is_shared("default")


def _as_one(several: list[Worker]) -> list[Worker]:
    """Return one worker that does the work of several."""
    queues = tuple(queue for worker in several for queue in worker.queues)
    threads = sum(worker.threads for worker in several)
    return [Worker(SMALL, queues, threads)] if several else []


def _servers(chosen: Roles, pages_socket: str) -> list[Spec]:
    if roles.WEB not in chosen:
        return []
    return [_web()] if chosen.is_small else [_web("--pages-at", pages_socket), _pages(pages_socket)]


def _beats(chosen: Roles) -> list[Spec]:
    return [_beat()] if roles.BEAT in chosen else []


def _web(*options: str) -> Spec:
    command = _python("argo.web", "argo.wsgi:application", *options)
    return Spec("web", command, INTAKE, STOP_TIMEOUT + settings.WEB_DRAIN)


def _pages(pages_socket: str) -> Spec:
    command = _python("argo.web", "argo.wsgi:application", "--make-pages-at", pages_socket)
    return Spec("pages", command, PAGES, STOP_TIMEOUT, niceness=PAGES_NICENESS)


def _beat() -> Spec:
    return Spec("beat", _celery("beat", "--hostname", beat_node()), CLOCK, STOP_TIMEOUT)


def _worker(worker: Worker) -> Spec:
    command = _celery(
        "worker", "--hostname", worker.node, "--queues", ",".join(worker.queues),
        "--threads", worker.threads,
    )  # fmt: skip
    stop_timeout = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 10
    return Spec(worker.name, command, WORK, stop_timeout)


def _celery(kind: str, *arguments: object) -> tuple[str, ...]:
    return _python("argo.up.celery_process", kind, *arguments)


def _python(module: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *map(str, arguments))
