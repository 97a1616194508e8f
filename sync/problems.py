"""What is wrong with the deliveries to Alpine."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from signals.problems import Problem, ProblemKind
from signals.status_text import age
from sync import breaker
from sync.counts import dead
from sync.models import OPEN, Delivery

LONGEST_WAIT = timedelta(minutes=5)
"""A delivery that is due for longer is a problem: nobody sends, or not fast enough."""

PAUSED = ProblemKind(
    "sync.paused",
    "Argo tries again by itself. Correct ALPINE_ENDPOINT or ALPINE_API_KEY if they are wrong.",
)
BACKLOG = ProblemKind(
    "sync.backlog",
    "Look at the log of the worker of the queue sync. If Alpine is slow, increase "
    "SYNC_CONCURRENCY.",
)
DEAD = ProblemKind(
    "sync.dead",
    "Look at them in the admin site or with sync_signals, correct the cause and send them again.",
    "sync.md#dead-deliveries",
)
KINDS = (PAUSED, BACKLOG, DEAD)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now. A sync that is off has no backlog."""
    state = breaker.ALPINE.state()
    if settings.ALPINE_API_KEY and state.probe_at is not None:
        yield PAUSED.found(f"Sync is paused: {state.reason}")
    elif settings.ALPINE_API_KEY:
        yield from _backlog(now)
    if found := dead():
        yield DEAD.found(f"{found.of('delivery is dead', 'deliveries are dead')}.")


def _backlog(now: datetime) -> Iterator[Problem]:
    """Yield a problem if a delivery is overdue; one that waits for its next try is not."""
    due = Delivery.objects.filter(OPEN).aggregate(oldest=Min("due_at"))["oldest"]
    if due is not None and now - due > LONGEST_WAIT:
        yield BACKLOG.found(f"A delivery has been due for {age(due, now):.0f} s.")
