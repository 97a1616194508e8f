"""Celery's beat: one at a time is active.

In a data folder only one runs, by a lock. Machines that share a database each may run one: the one
with the lease sends, the others stand by and take over within seconds.
"""

import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from celery.schedules import BaseSchedule, maybe_schedule, schedule
from celery.utils.log import get_logger
from celery.utils.time import maybe_make_aware
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from argo import locks
from argo.health.heart import beat_heart
from argo.lease import Lease
from signals.dialect import is_shared
from signals.locks import FileLock, LockedByAnother, LockLost

logger = get_logger(__name__)

MAX_MICROSECONDS = 2**31 - 1
"""The largest value that the schedule's column can hold on PostgreSQL."""

RENEW_EVERY = 2.0
"""Seconds between two renewals of the lease, or two looks if it is free."""
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

    A second beat of the same data folder logs who holds the lock and exits with 1. A beat that lost
    its lock or its lease ends with an error; its supervisor may start it again.
    """

    Entry = Entry
    _lease: Lease | None = None
    _ticked_at = 0.0
    _is_ticking = _is_closing = _is_active = False

    def setup_schedule(self) -> None:
        """Take the lock, and the lease if it is free; not called when beat only shows its
        settings."""
        self._lock = locks.of_beat()
        _take(self._lock)
        self._lease = Lease("beat") if is_shared("default") else None
        self._heart = beat_heart()
        if not self._begin_if_free():
            logger.info("Another beat is active (%s): standing by", self._holder())
        self._heart.start()

    @property
    def schedule(self) -> dict[str, ModelEntry]:
        """Return the schedule; empty while this beat stands by."""
        found: dict[str, ModelEntry] = super().schedule if self._is_active else {}
        return found

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
            self._lock.verify()
            if not self._keep_lease():
                return RENEW_EVERY
            pause: float = super().tick(*args, **kwargs)
        finally:
            self._is_ticking = False
            close_old_connections()
        return pause if self._lease is None else min(pause, RENEW_EVERY)

    def apply_entry(self, entry: ModelEntry, producer: object = None) -> None:
        """Send the task of an entry, unless the lease has run out since the tick began."""
        if self._lease is not None and not self._lease.is_held:
            raise LockLost("The lease of beat ran out while it sent tasks.")
        super().apply_entry(entry, producer=producer)

    def close(self) -> None:
        """Save when each entry ran last.

        Celery does so in its handler of SIGTERM, too: within a tick, which may hold the very lock
        that the database needs, it would wait for ever. There it is left to the end of the loop,
        which the same handler brings about.
        """
        self._is_closing = True
        if not self._is_ticking:
            super().close()
            self._release()

    def _begin_if_free(self) -> bool:
        """Become active if no other beat is; return whether this one is."""
        if self._lease is not None and not self._lease.hold():
            return False
        self._is_active = True
        gone = OPTIONAL - settings.CELERY_BEAT_SCHEDULE.keys()
        PeriodicTask.objects.filter(name__in=gone).delete()
        super().setup_schedule()
        return True

    def _keep_lease(self) -> bool:
        """Renew the lease, or take it if it is free; return whether this beat is active.

        Raises LockLost if it was active and another one is now.
        """
        if not self._is_active:
            if self._begin_if_free():
                logger.info("This beat is active now")
        elif self._lease is not None and not self._lease.hold():
            raise LockLost(f"The lease of beat ran out; {self._holder()} has it now.")
        return self._is_active

    def _release(self) -> None:
        """Let another beat take over at once."""
        if self._lease is not None and self._is_active:
            self._is_active = False
            with suppress(DatabaseError):  # it runs out by itself
                self._lease.release()

    def _holder(self) -> str:
        return self._lease.holder() if self._lease is not None else "none"

    def _notice_clock(self) -> None:
        """Order the entries anew if the clock was set back: they are ordered by its time."""
        now = time.time()
        if now < self._ticked_at:
            self._heap = None
        self._ticked_at = now


def _take(lock: FileLock) -> None:
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
