"""The main figures over time: a row for each five minutes, after two days one for each hour.

They are those of `argo.metrics.summary`, taken when they happen: the rows that they come from may
be millions.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction

from argo.metrics.summary import summary
from argo.models import MetricSample
from sync import counts

EVERY, HOUR = timedelta(minutes=5), timedelta(hours=1)
FINE_FOR = timedelta(days=2)
"""After this time the samples of an hour become one."""


def take(now: datetime) -> bool:
    """Store the figures of the five minutes before `now`; return False if that was done already."""
    found, (waiting, _) = summary(EVERY, now, exact=True), counts.waiting(now)
    sync, execution = found.sync_success_rate, found.execution_rate
    _, is_new = MetricSample.objects.get_or_create(
        at=_floor(now - EVERY, EVERY),
        defaults={
            "minutes": EVERY // timedelta(minutes=1),
            "signals": found.generation_rate.per_second * EVERY.total_seconds(),
            "p95": found.storage_latency.p95,
            "delivered": sync.delivered,
            "dead": sync.dead,
            "waiting": waiting.number,
            "executed": execution.executed,
            "skipped": execution.skipped,
        },
    )
    return is_new


def thin(now: datetime) -> None:
    """Make one sample of each hour that is over for two days."""
    before = _floor(now - FINE_FOR, HOUR)
    fine = MetricSample.objects.filter(at__lt=before, is_hour=False).order_by("at")
    for begin, group in groupby(fine, lambda row: _floor(row.at, HOUR)):
        _replace(begin, list(group))


def since(moment: datetime) -> list[MetricSample]:
    """Return the samples since then, the oldest first."""
    return list(MetricSample.objects.filter(at__gte=moment).order_by("at"))


def forget_before(moment: datetime) -> None:
    """Delete the samples from before then."""
    old = MetricSample.objects.filter(at__lt=moment)
    if old.exists():  # on SQLite even an empty delete waits for every writer
        old.delete()


def merged(rows: Iterable[MetricSample], begin: datetime) -> MetricSample:
    """Return one sample for these: numbers are added, and of the others it has the largest."""
    kept = list(rows)
    latencies = [row.p95 for row in kept if row.p95 is not None]
    return MetricSample(
        at=begin,
        minutes=sum(row.minutes for row in kept),
        signals=sum(row.signals for row in kept),
        p95=max(latencies, default=None),
        waiting=max(row.waiting for row in kept),
        **{
            name: sum(getattr(row, name) for row in kept)
            for name in ("delivered", "dead", "executed", "skipped")
        },
    )


def _replace(begin: datetime, rows: list[MetricSample]) -> None:
    """Put one sample in the place of those of an hour."""
    hour = merged(rows, begin)
    hour.is_hour = True
    with transaction.atomic():
        MetricSample.objects.filter(pk__in=[row.pk for row in rows]).delete()
        hour.save()


def _floor(moment: datetime, step: timedelta) -> datetime:
    """Return the beginning of the step that the moment is in."""
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step
