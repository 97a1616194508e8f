"""What is wrong with the logs that this Argo watches."""

from collections.abc import Iterator
from datetime import datetime

from signals.models import WatchedLog
from signals.problems import Problem, ProblemKind

TWO_HISTORIES = ProblemKind(
    "witness.two_histories",
    "Believe nothing of this log, and tell others: witness --list --json names the address of the "
    "cosigned checkpoint, and the table watched_logs keeps the other one. Watch the log no more "
    "with witness --remove ORIGIN.",
    "record.md#be-a-witness",
)
KINDS = (TWO_HISTORIES,)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now."""
    for log in WatchedLog.objects.exclude(contradiction="").exclude(keys="").order_by("origin"):
        yield TWO_HISTORIES.found(
            f"The log {log.origin} has signed two different roots of the size "
            f"{log.contradiction.splitlines()[1]}.",
            log.origin,
        )
