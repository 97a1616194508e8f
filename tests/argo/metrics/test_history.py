"""The figures over time: taken once for each five minutes, thinned, forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from argo.health import past
from argo.metrics import history
from argo.models import MetricSample, PastProblem
from argo.tasks import sample
from signals.clock import utc_now
from signals.config import flusher
from signals.models import OpenProblem
from signals.tracker import SignalTracker
from sync.models import Delivery
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 1, 5, tzinfo=UTC)


def stored(at: datetime, **figures: float | None) -> MetricSample:
    values = dict.fromkeys(("signals", "delivered", "dead", "waiting", "executed", "skipped"), 0)
    return MetricSample.objects.create(at=at, minutes=5, **(values | figures))


def test_a_sample_has_what_happened_in_its_five_minutes_and_is_taken_once() -> None:
    tracker = SignalTracker("test")
    for _ in range(3):
        tracker.log_signal(a_signal())
    flusher().flush()
    now = utc_now()
    delivered, dead, _ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=delivered.pk).update(status="delivered", delivered_at=now)
    Delivery.objects.filter(pk=dead.pk).update(status="dead", attempted_at=now)
    assert history.take(now)
    assert not history.take(now)
    row = MetricSample.objects.get()
    assert (row.minutes, round(row.signals, 6)) == (5, 3)
    assert row.p95 is not None
    assert (row.delivered, row.dead, row.waiting) == (1, 1, 1)
    assert row.at.minute % 5 == row.at.second == row.at.microsecond == 0


def test_without_a_signal_no_latency_is_made_up() -> None:
    history.take(DAY)
    assert MetricSample.objects.get().p95 is None
    assert MetricSample.objects.get().at == DAY - timedelta(minutes=5)


def test_after_two_days_an_hour_is_one_sample() -> None:
    for minute in range(0, 60, 5):
        stored(DAY + timedelta(minutes=minute), signals=2, p95=minute or None, waiting=minute)
    stored(DAY + timedelta(hours=1), executed=7)
    fresh = stored(DAY + timedelta(hours=2), executed=1)
    now = DAY + history.FINE_FOR + timedelta(hours=2, minutes=3)
    history.thin(now)
    first, second, last = history.since(DAY)
    history.thin(now)
    kept = {row.pk for row in (first, second, last)}
    assert {row.pk for row in history.since(DAY)} == kept, "an hour is made once"
    assert (first.minutes, first.signals, first.p95, first.waiting) == (60, 24, 55, 55)
    assert (second.minutes, second.executed, second.is_hour) == (5, 7, True)
    assert (last.pk, last.is_hour) == (fresh.pk, False)


def test_the_task_forgets_what_is_too_old(settings: Settings) -> None:
    settings.HISTORY_DAYS = 10
    now = utc_now()
    old, recent = now - timedelta(days=11), now - timedelta(days=9)
    for at in (old, recent):
        stored(at)
        past.keep(OpenProblem(code=f"{at:%d}", sentence="x", began_at=old), at)
    assert sample()
    assert MetricSample.objects.count() == 2
    assert PastProblem.objects.get().code == f"{recent:%d}"
