"""Keeps the problems that are over, for as long as HISTORY_DAYS says."""

from datetime import datetime

from argo.models import PastProblem
from signals.models import OpenProblem

MOST = 500
"""The number of past problems that one page shows."""


def keep(row: OpenProblem, now: datetime) -> None:
    """Store that this problem is over; call it in the transaction that deletes its row."""
    PastProblem.objects.create(
        node=row.node,
        code=row.code,
        sentence=row.sentence,
        began_at=row.began_at,
        ended_at=max(now, row.began_at),
    )


def ended_since(moment: datetime) -> list[PastProblem]:
    """Return the problems that ended since then, the latest first, at most `MOST`."""
    return list(
        PastProblem.objects.filter(ended_at__gte=moment).order_by("-ended_at", "-pk")[:MOST]
    )


def forget_before(moment: datetime) -> None:
    """Delete the problems that ended before then."""
    old = PastProblem.objects.filter(ended_at__lt=moment)
    if old.exists():  # on SQLite even an empty delete waits for every writer
        old.delete()
