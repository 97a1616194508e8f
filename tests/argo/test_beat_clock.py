"""Beat after its clock was ahead: a last run in the future counts as now."""

import time
from datetime import datetime, timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from argo.beat import Entry, LockedScheduler
from signals.clock import utc_now

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=3)


def _task(name: str, every: int, last_run_at: object = None) -> PeriodicTask:
    interval, _ = IntervalSchedule.objects.get_or_create(every=every, period="seconds")
    return PeriodicTask.objects.create(
        name=name, task=f"tasks.{name}", interval=interval, last_run_at=last_run_at
    )


def _entry(every: int, ahead: timedelta) -> Entry:
    return Entry(_task("monitor", every, utc_now() + ahead), app=current_app)


def test_a_last_run_in_the_future_delays_the_next_by_one_interval_at_most() -> None:
    entry = _entry(10, HOURS)
    due, wait = entry.is_due()
    assert not due
    assert 9 < wait <= 10
    assert entry.last_run_at <= utc_now()


@pytest.mark.parametrize(("ahead", "due"), [(-HOURS, True), (timedelta(seconds=-1), False)])
def test_a_last_run_in_the_past_counts_as_it_is(ahead: timedelta, due: bool) -> None:
    assert _entry(10, ahead).is_due()[0] is due


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_is_set_back_while_beat_runs_starves_no_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beat orders its tasks by the time at which each is due: by a clock that was ahead."""
    monkeypatch.setattr(settings, "CELERY_BEAT_SCHEDULE", {})
    for name in ("quick", "slow"):
        _task(name, {"quick": 1, "slow": 3}[name])
    scheduler = LockedScheduler(app=current_app, lazy=True)
    scheduler._lock, scheduler._heart = _NoLock(), _NoHeart()  # type: ignore[assignment]
    scheduler._is_active = True
    monkeypatch.setitem(vars(scheduler), "producer", None)  # no message is sent: ask no broker
    sent: list[str] = []
    monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer: sent.append(entry.name))
    clock = _Clock(monkeypatch, ahead=HOURS)
    _tick_for(scheduler, clock, seconds=10)
    assert {"quick", "slow"} <= set(sent)
    sent.clear()
    clock.set_back(HOURS)
    _tick_for(scheduler, clock, seconds=10)
    assert sent.count("slow") >= 2
    assert sent.count("quick") >= 7


class _NoLock:
    """A lock that is always held."""

    def verify(self) -> None:
        pass


class _NoHeart:
    def prove(self) -> None:
        """Nobody looks."""


class _Clock:
    """The clock that beat reads, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
        self._offset = ahead
        self._began, self.passed = utc_now(), timedelta()
        monkeypatch.setattr(Entry, "_default_now", lambda entry: self.now())
        monkeypatch.setattr(Entry, "default_now", lambda entry: self.now(), raising=False)
        monkeypatch.setattr(current_app, "now", self.now)
        monkeypatch.setattr(timezone, "now", self.now)
        monkeypatch.setattr(time, "time", lambda: self.now().timestamp())

    def now(self) -> datetime:
        return self._began + self.passed + self._offset

    def set_back(self, by: timedelta) -> None:
        self._offset -= by


def _tick_for(scheduler: LockedScheduler, clock: _Clock, seconds: float) -> None:
    end = clock.passed + timedelta(seconds=seconds)
    while clock.passed < end:
        pause = scheduler.tick()
        clock.passed += timedelta(seconds=max(0.05, min(pause, 5.0)))
