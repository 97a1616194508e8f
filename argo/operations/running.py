"""What runs: processes and machines, queues, deliveries, what waits for a person, schedules."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from argo.celery import app
from argo.dashboard.panel import Content, Moment
from argo.metrics import history
from argo.metrics.queues import queue_depths
from argo.operations import alerts
from argo.operations.events import EVENTS
from argo.operations.section import Section
from signals.health.heartbeats import Signs
from signals.ledger.dead_letters import unresolved
from signals.models import DeadLetter
from signals.nodes.listing import listed
from signals.timestamps import parse_utc
from sync import breaker, counts
from sync import status as sync_status
from sync.models import DEAD, Delivery

SHOWN = 10
"""The number of dead letters and dead deliveries that the page shows."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def processes(moment: Moment) -> Content:
    """Return the workers and beats that live, and those that did within a day."""
    signs = Signs.read()
    living = {row.pk for row in signs.living}
    rows = sorted(signs.rows, key=lambda row: (row.host, row.role))
    return {
        "living": [row for row in rows if row.pk in living],
        "silent": [row for row in rows if row.pk not in living],
    }


def machines(moment: Moment) -> Content:
    """Return the nodes: each machine's data folder, with what its journal has not stored yet."""
    return {"rows": listed()}


def queues(moment: Moment) -> Content:
    """Return how many messages wait in each queue, and how many workers serve it."""
    served = Counter(queue for row in Signs.read().living for queue in row.queues.split())
    depths = queue_depths(app).read()
    return {"rows": [(name, depth, served[name]) for name, depth in sorted(depths.items())]}


def deliveries(moment: Moment) -> Content:
    """Return the deliveries by their state; those of the last day from the kept samples."""
    waiting, oldest = counts.waiting(moment.now)
    sending = counts.sending(moment.now)
    samples = history.since(moment.now - DAY)
    row = breaker.ALPINE.state()
    return {
        "state": sync_status.state(),
        "endpoint": settings.ALPINE_ENDPOINT,
        "paused_for": row.reason if row.probe_at else "",
        "probe_at": row.probe_at,
        "pending": waiting._replace(number=max(0, waiting.number - sending.number)),
        "sending": sending,
        "oldest": oldest,
        "hour": counts.ended_since(moment.now - HOUR),
        "day": sum(each.delivered for each in samples) if samples else None,
    }


def dead(moment: Moment) -> Content:
    """Return what waits for a person: dead deliveries, and dead letters of the journal."""
    dead_ones = Delivery.objects.filter(DEAD)
    letters = DeadLetter.objects.filter(resolved_at=None).order_by("-pk")
    return {
        "deliveries": counts.dead(),
        "latest": dead_ones.select_related("signal").order_by("-attempted_at")[:SHOWN],
        "letters": unresolved(),
        "newest": letters[:SHOWN],
    }


def schedules(moment: Moment) -> Content:
    """Return what beat sends, how often, and when it did last and will next."""
    tasks = PeriodicTask.objects.select_related("interval", "crontab", "solar", "clocked")
    return {"rows": [(task, next_run(task, moment.now)) for task in tasks.order_by("name")]}


def next_run(task: Any, now: datetime) -> datetime | None:  # noqa: ANN401  # a PeriodicTask, untyped
    """Return when beat sends the task next; None if never.

    Beat stores a last run minutes later; until then it is counted on from the one before.
    """
    if not task.enabled:
        return None
    planned = task.schedule
    if (step := getattr(planned, "run_every", None)) and task.last_run_at:
        last = parse_utc(task.last_run_at)
        coming: datetime = last + step * max(1, -((last - now) // step))
        return coming
    left: timedelta = planned.remaining_estimate(task.last_run_at or now)
    nearest = now + left + timedelta(seconds=0.5)  # the schedule looks at its own clock, later
    return nearest.replace(microsecond=0) if left > timedelta() else None


SECTIONS = (
    Section("dead", "What waits for a person", dead, wide=True),
    Section("processes", "Processes", processes, wide=True),
    Section("deliveries", "Deliveries to Alpine", deliveries),
    Section("queues", "Queues", queues),
    alerts.SECTION,
    EVENTS,
    Section("machines", "Machines", machines, wide=True),
    Section("schedules", "Schedules", schedules, wide=True),
)
