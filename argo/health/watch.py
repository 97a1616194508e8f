"""Watches for problems that begin and end, has them told, and keeps those that are over.

One worker of each machine does it: the one that has the lock. If it dies, another one takes over.
It is a thread and not a task: a task would wait behind a long run of others, and nobody would hear
that beat or the broker is away.
"""

import logging
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections, transaction

from argo.health import database, past, registry
from argo.health.registry import Findings
from signals import config
from signals.clock import Clock, utc_now
from signals.events import EventType, publish
from signals.locks import FileLock, LockedByAnother
from signals.models import OpenProblem
from signals.problems import Problem
from signals.timestamps import utc_text
from sync.courier import Courier, Message
from sync.notify import notify
from sync.quiet import quiet_hours
from sync.targets import send, targets

logger = logging.getLogger(__name__)
SILENT_LOOKS = 2
"""The number of looks in a row without the database after which that is told."""
Key = tuple[str, str, str]
"""The machine, empty if it is a problem of all; the code; and what it is about."""


class Watch:
    """Looks every `interval` seconds, on a thread of its own, while this process has the lock."""

    def __init__(self, reporter: "Reporter", lock: Path, interval: float) -> None:
        self._reporter = reporter
        self._lock = FileLock(lock)
        self._interval = interval
        self._stop = threading.Event()
        self._is_elected = False

    @classmethod
    def from_settings(cls) -> "Watch":
        """Return a watch with the settings' values. It also keeps what is told to nobody."""
        interval = timedelta(seconds=settings.NOTIFY_INTERVAL)
        courier = Courier(targets(), interval, send, quiet=quiet_hours())
        reporter = Reporter(config.journal().identity, courier)
        return cls(reporter, settings.DATA_DIR / "watch.lock", settings.NOTIFY_CHECK_INTERVAL)

    def start(self) -> None:
        """Start the thread. The first look is one interval later, when all processes run."""
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                if self._has_lock():
                    self._reporter.look()
            except Exception:
                logger.exception("A look for problems failed; trying again")
            finally:
                connections.close_all()
        self._lock.release()

    def _has_lock(self) -> bool:
        if not self._is_elected:
            try:
                self._lock.acquire()
            except LockedByAnother:
                return False
            self._is_elected = True
        return True


class Reporter:
    """Compares the problems that exist with those that were told, and queues what is new.

    `node` is the identity of this machine's journal. Problems that all machines share are told by
    the machine that comes first: a row is inserted and deleted once.
    """

    def __init__(
        self,
        node: str,
        courier: Courier,
        find: Callable[[datetime], Findings] = registry.look,
        clock: Clock = utc_now,
    ) -> None:
        self._node = node
        self._courier = courier
        self._find = find
        self._clock = clock
        self._silent_looks = 0

    def look(self) -> None:
        """Queue what has begun and ended, and send what is due."""
        if silent := database.problem_of_database():
            self._tell_without_database(silent)
            return
        try:
            self._record(self._clock())
            self._tell_that_it_answers()
            self._courier.look()
        except DatabaseError as error:
            self._tell_without_database(database.no_answer(error))

    def _record(self, now: datetime) -> None:
        known = {_key_of(row): row for row in self._open()}  # read first: what another machine
        findings = self._find(now)  # records from here on is not over
        found = {self._key(problem): problem for problem in findings.problems}
        for key, problem in found.items():
            if key not in known:
                _begin(key, problem, now)
        for key, row in known.items():
            if key not in found and row.code not in findings.unknown:
                _end(row, now)

    def _open(self) -> list[OpenProblem]:
        return list(OpenProblem.objects.filter(node__in=["", self._node]))

    def _key(self, problem: Problem) -> Key:
        node = self._node if problem.kind.is_of_node else ""
        return node, problem.kind.code, problem.about[:200]

    def _tell_without_database(self, problem: Problem) -> None:
        """Tell it from the second look on: a restart of the database needs no message."""
        self._silent_looks += 1
        if self._silent_looks >= SILENT_LOOKS:
            self._courier.send_unqueued(Message(*_text_of(problem)))

    def _tell_that_it_answers(self) -> None:
        if self._silent_looks >= SILENT_LOOKS:
            notify("Over: The database did not answer.")
        self._silent_looks = 0


def _key_of(row: OpenProblem) -> Key:
    return row.node, row.code, row.about


def _begin(key: Key, problem: Problem, now: datetime) -> None:
    node, code, about = key
    with transaction.atomic():
        _, is_new = OpenProblem.objects.get_or_create(
            node=node,
            code=code,
            about=about,
            defaults={"sentence": problem.sentence, "began_at": now},
        )
        if is_new:
            notify(*_text_of(problem), about=code, data=_data(key, problem.sentence, now))
            publish(EventType.HEALTH_CHANGED, _data(key, problem.sentence, now))


def _end(row: OpenProblem, now: datetime) -> None:
    with transaction.atomic():
        ended, _ = OpenProblem.objects.filter(pk=row.pk).delete()
        if ended:
            past.keep(row, now)
            data = _data(_key_of(row), row.sentence, row.began_at, now)
            began = f"It began at {row.began_at:%Y-%m-%d %H:%M:%S} UTC."
            notify(f"Over: {row.sentence}", began, about=row.code, data=data)
            publish(EventType.HEALTH_CHANGED, data)


def _data(
    key: Key, sentence: str, began_at: datetime, ended_at: datetime | None = None
) -> dict[str, object]:
    """Return the data of `health.changed`: a problem that began, or one that is over."""
    node, code, about = key
    return {
        "change": "began" if ended_at is None else "ended",
        "code": code,
        "sentence": sentence,
        "about": about,
        "node": node or None,
        "began_at": utc_text(began_at),
        "ended_at": utc_text(ended_at) if ended_at else None,
    }


def _text_of(problem: Problem) -> tuple[str, str]:
    where = f"{problem.kind.code}, seen on {socket.gethostname()}"
    return problem.sentence, f"{problem.kind.advice} ({where})"
