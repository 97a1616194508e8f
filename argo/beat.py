"""Celery's beat with a lock, which it holds as long as it runs, so that only one beat runs."""

import time
from datetime import datetime
from typing import Any

from celery.schedules import BaseSchedule, maybe_schedule, schedule
from celery.utils.log import get_logger
from celery.utils.time import maybe_make_aware
from django.conf import settings
from django.db import close_old_connections, connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from argo import locks
from argo.health.heart import beat_heart
from signals.database_locks import AdvisoryLock, DatabaseLock, Kind
from signals.locks import LockedByAnother

logger = get_logger(__name__)

MAX_MICROSECONDS = 2**31 - 1
"""The largest value that the schedule's column can hold on PostgreSQL."""

OPTIONAL = {
    "generate", "report", "enter_record", "publish_record", "witness_record", "stamp_record",
    "track_records",
}  # fmt: skip
"""Entries that the settings may leave out; then the entry of an earlier start is deleted."""


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
    _is_ticking = _is_closing = False

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
        if self._is_closing:  # Python has lost the handler's exception, as within a finalizer
            raise SystemExit
        self._heart.prove()
        self._notice_clock()
        self._is_ticking = True
        try:
            for lock in self._locks:
                lock.verify()
            pause: float = super().tick(*args, **kwargs)
        finally:
            self._is_ticking = False
            close_old_connections()
        return pause

    def close(self) -> None:
        """Save when each entry ran last.

        Celery does so in its handler of SIGTERM, too: within a tick, which may hold the very lock
        that the database needs, it would wait for ever. There it is left to the end of the loop,
        which the same handler brings about.
        """
        self._is_closing = True
        if not self._is_ticking:
            super().close()

    def _notice_clock(self) -> None:
        """Order the entries anew if the clock was set back: they are ordered by its time."""
        now = time.time()
        if now < self._ticked_at:
            self._heap = None
        self._ticked_at = now


def _locks() -> list[DatabaseLock]:
    """Return the lock of the data folder, and on PostgreSQL the lock of the shared database."""
    found: list[DatabaseLock] = [locks.of_beat()]
    return [*found, AdvisoryLock(Kind.BEAT)] if connection.vendor == "postgresql" else found


def _take(lock: DatabaseLock) -> None:
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
