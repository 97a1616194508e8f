"""Celery's beat with a lock, which it holds as long as it runs, so that only one beat runs."""

import os
import socket
import time
from datetime import datetime
from typing import Any, Protocol

from celery.schedules import BaseSchedule, maybe_schedule, schedule
from celery.utils.log import get_logger
from celery.utils.time import maybe_make_aware
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from argo import locks
from argo.health.heart import beat_heart
from signals.locks import LockedByAnother, LockLost

logger = get_logger(__name__)

ADVISORY_KEY = (0x4172676F, 1)
"""The two numbers that name a PostgreSQL advisory lock: "Argo" in ASCII, and 1 for beat."""

MAX_MICROSECONDS = 2**31 - 1
"""The largest value that the schedule's column can hold on PostgreSQL."""

OPTIONAL = {"generate"}
"""Entries that the settings may leave out; then the entry of an earlier start is deleted."""


class Lock(Protocol):
    """A lock that `LockedScheduler` can hold."""

    def acquire(self) -> None: ...
    def verify(self) -> None: ...


class AdvisoryLock:
    """A session lock in PostgreSQL, on its own connection, for beats on several machines."""

    def __init__(self) -> None:
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises:
            LockedByAnother: another session has it.
        """
        name = f"argo beat, process {os.getpid()} on {socket.gethostname()}"
        self._query("SELECT set_config('application_name', %s, false)", name[:63])
        if not self._query("SELECT pg_try_advisory_lock(%s, %s)", *ADVISORY_KEY)[0]:
            raise LockedByAnother("PostgreSQL's lock for beat", self._holder())

    def verify(self) -> None:
        """Check that this process still has the lock.

        Raises:
            LockLost: the session that held it has ended, for example because the server stopped.
            django.db.Error: the server does not answer.
        """
        if not self._query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s "
            "AND objid = %s AND granted AND pid = pg_backend_pid()",
            *ADVISORY_KEY,
        )[0]:
            raise LockLost("PostgreSQL no longer holds the lock for beat: its session ended.")

    def _holder(self) -> str:
        row = self._query(
            "SELECT application_name, client_addr FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted",
            *ADVISORY_KEY,
        )
        return f"{row[0]} (from {row[1] or 'the same machine'})" if row else "another session"

    def _query(self, sql: str, *parameters: str | int) -> Any:  # noqa: ANN401  # a row, or None
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone()


class Entry(ModelEntry):  # type: ignore[misc]  # django-celery-beat publishes no types
    """A schedule entry that keeps fractions of a second, which the base class cuts off."""

    last_run_at: datetime

    @classmethod
    def to_model_schedule(cls, every: float | BaseSchedule) -> tuple[Any, str]:
        planned = maybe_schedule(every)  # type: ignore[arg-type]  # mypy does not know `Number`
        if isinstance(planned, schedule):
            seconds = planned.run_every.total_seconds()  # type: ignore[attr-defined]  # not in the stubs
            if seconds % 1 and seconds * 1e6 <= MAX_MICROSECONDS:
                return _every_microseconds(round(seconds * 1e6)), "interval"
        model, field = super().to_model_schedule(planned)
        return model, field

    def is_due(self) -> Any:  # noqa: ANN401  # celery's `schedstate`
        """Return whether it is due. A last run in the future counts as now: the clock was ahead."""
        now = self._default_now()
        if maybe_make_aware(self.last_run_at) > now:
            self.last_run_at = self.model.last_run_at = now
        return super().is_due()


class LockedScheduler(DatabaseScheduler):  # type: ignore[misc]  # as above
    """Writes the settings' schedule to the database, and then reads the schedule from there.

    A second beat logs who holds the lock and exits with 1. A beat that lost its lock ends with an
    error; its supervisor may start it again, and then it takes the lock again.
    """

    Entry = Entry
    _ticked_at = 0.0

    def setup_schedule(self) -> None:
        """Take the locks, then read the schedule; not called when beat only shows its settings."""
        self._locks = _locks()
        for lock in self._locks:
            _take(lock)
        gone = OPTIONAL - settings.CELERY_BEAT_SCHEDULE.keys()
        PeriodicTask.objects.filter(name__in=gone).delete()
        super().setup_schedule()
        self._heart = beat_heart()
        self._heart.start()

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send the due tasks, and return the seconds until the next tick.

        The database connection goes back to its pool after each tick, as after each task.
        """
        self._heart.prove()
        self._notice_clock()
        try:
            for lock in self._locks:
                lock.verify()
            pause: float = super().tick(*args, **kwargs)
        finally:
            close_old_connections()
        return pause

    def _notice_clock(self) -> None:
        """Order the entries anew if the clock was set back: they are ordered by its time."""
        now = time.time()
        if now < self._ticked_at:
            self._heap = None
        self._ticked_at = now


def _locks() -> list[Lock]:
    """Return the lock of the data folder, and on PostgreSQL the lock of the shared database."""
    found: list[Lock] = [locks.of_beat()]
    return [*found, AdvisoryLock()] if connection.vendor == "postgresql" else found


def _take(lock: Lock) -> None:
    try:
        lock.acquire()
    except LockedByAnother as error:
        logger.error("Another beat is already running: %s Only one may run.", error)
        raise SystemExit(error.exit_code) from error


def _every_microseconds(count: int) -> Any:  # noqa: ANN401  # an IntervalSchedule, untyped
    wanted = {"every": count, "period": IntervalSchedule.MICROSECONDS}
    return IntervalSchedule.objects.filter(**wanted).first() or IntervalSchedule.objects.create(
        **wanted
    )
