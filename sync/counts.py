"""Counts deliveries, but only up to a number: a look takes no longer with millions of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min, QuerySet

from signals.status_text import Capped, age, share
from sync.models import DEAD, OPEN, Delivery

MOST = 100_000
"""Counts stop here; an index alone answers them."""
LOOKED_AT = 10_000
"""Rows that are read for the oldest of those that wait: the ones that are due first."""


@dataclass(frozen=True)
class SuccessRate:
    """The numbers of deliveries that ended within a period.

    If `at_least`, there were more: then these are the newest ones.
    """

    delivered: int
    dead: int
    at_least: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, and the delivered share from 0 to 1: None if nothing ended."""
        success = share(self.delivered, self.delivered + self.dead)
        numbers = {"delivered": self.delivered, "dead": self.dead, "success_rate": success}
        return numbers | {"at_least": self.at_least}


def waiting(now: datetime, most: int = MOST) -> tuple[Capped, float | None]:
    """Return how many deliveries are not finished, and the age in seconds of the oldest; None if
    all are finished."""
    first = Delivery.objects.filter(OPEN).order_by("due_at").values("queued_at")[:LOOKED_AT]
    return pending(most), age(first.aggregate(oldest=Min("queued_at"))["oldest"], now)


def pending(most: int = MOST) -> Capped:
    """Return how many deliveries are not finished."""
    return _capped(Delivery.objects.filter(OPEN), most)


def sending(now: datetime) -> Capped:
    """Return how many deliveries are being sent; a lease that has ended is none."""
    leased = Delivery.objects.filter(OPEN, due_at__gt=now)
    return _capped(leased.filter(status=Delivery.Status.SENDING))


def delivered(most: int = MOST) -> Capped:
    """Return how many deliveries Alpine has."""
    return _capped(Delivery.objects.filter(delivered_at__isnull=False), most)


def dead(most: int = MOST) -> Capped:
    """Return how many deliveries need a person."""
    return _capped(Delivery.objects.filter(DEAD), most)


def ended_since(since: datetime, most: int | None = MOST) -> SuccessRate:
    """Count the deliveries that ended since then; with `most`, only about as many of the newest."""
    sent = Delivery.objects.filter(delivered_at__gte=since).order_by("-delivered_at")
    found = sent[:most].count()
    first = sent.values_list("delivered_at", flat=True)[found - 1] if found == most else None
    died = Delivery.objects.filter(DEAD, attempted_at__gte=first or since)
    failed = died.order_by("-attempted_at")[:most].count()
    return SuccessRate(found, failed, most in (found, failed))


def _capped(rows: QuerySet[Delivery], most: int = MOST) -> Capped:
    found = rows.order_by()[:most].count()
    return Capped(found, found == most)
