"""The problems of alerts: unread ones, those that wait for too long, and senders that are late."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min

from signals.alerts.log import alerts_journal
from signals.models import Alert, Sender
from signals.problems import Problem, ProblemKind
from signals.status_text import age, counted

PAGE = "alerts.md#what-an-alert-becomes"
LONGEST_WAIT = timedelta(minutes=1)
"""An exit that waits for longer is a problem: no worker carries it out, or the broker fails."""

UNREAD = ProblemKind(
    "alerts.unread",
    "Look at them in the admin site, correct the sender's mapping, and read them again.",
    PAGE,
)
WAITING = ProblemKind(
    "alerts.waiting",
    "Look at the log of the worker of the queue execution: it says why an exit is not carried out.",
    PAGE,
)
LATE = ProblemKind(
    "alerts.late_sender",
    "Look at the sender itself: its alert may have expired, or its server cannot reach this one.",
    PAGE,
)
RESCUED = ProblemKind(
    "alerts.rescued",
    "Find out who deleted or moved it, then rename the file without '-rescued'.",
    PAGE,
    is_of_node=True,
)
KINDS = (UNREAD, WAITING, LATE, RESCUED)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now."""
    yield from _unread()
    waits = Alert.objects.filter(status=Alert.Status.WAITING, due_at__isnull=False)
    oldest = waits.aggregate(oldest=Min("received_at"))["oldest"]
    if oldest is not None and now - oldest > LONGEST_WAIT:
        yield WAITING.found(f"An alert has waited for {age(oldest, now):.0f} s to be carried out.")
    late = Sender.objects.filter(revoked_at=None, late_since__isnull=False)
    for sender in late.filter(expected_every__isnull=False).order_by("pk"):
        yield LATE.found(_late(sender, now), sender.name)
    for path in alerts_journal().segments.rescued():
        yield RESCUED.found(f"{path.name} was deleted or moved away, and was put back.", path.name)


def _unread() -> Iterator[Problem]:
    rows = Alert.objects.filter(status=Alert.Status.UNREAD).values("sender__name")
    for row in rows.annotate(number=Count("pk")).order_by("sender__name"):
        what = counted(row["number"], "alert", "alerts")
        name = row["sender__name"]
        yield UNREAD.found(f"{what} of the sender {name} could not be read.", name)


def _late(sender: Sender, now: datetime) -> str:
    every = f"one is expected every {sender.expected_every:.0f} s"
    if sender.heard_at is None:
        return f"The sender {sender.name} has never sent an alert; {every}."
    return f"The sender {sender.name} was heard {age(sender.heard_at, now):.0f} s ago; {every}."
