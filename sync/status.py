"""How the deliveries stand, for health, the API, the admin and the command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min

from sync import breaker
from sync.models import Delivery

Status = Delivery.Status
OPEN = (Status.PENDING, Status.SENDING)


@dataclass(frozen=True)
class Rate:
    """Of the deliveries that ended within a time: how many, and which share came through.

    `share` is None where none ended.
    """

    delivered: int
    dead: int

    @property
    def share(self) -> float | None:
        ended = self.delivered + self.dead
        return self.delivered / ended if ended else None

    def as_dict(self) -> dict[str, Any]:
        return {"delivered": self.delivered, "dead": self.dead, "success_rate": self.share}


def status(now: datetime) -> dict[str, Any]:
    """Counts, the age of the oldest delivery that waits (seconds), rates, and the breaker."""
    counts = dict(Delivery.objects.values_list("status").annotate(Count("pk")))
    waiting = Delivery.objects.filter(status__in=OPEN)
    oldest = waiting.aggregate(oldest=Min("queued_at"))["oldest"]
    row = breaker.state()
    return {
        "state": _state(row.probe_at is not None),
        "pending": sum(counts.get(each, 0) for each in OPEN),
        "delivered": counts.get(Status.DELIVERED, 0),
        "dead": counts.get(Status.DEAD, 0),
        "oldest_pending_seconds": (now - oldest).total_seconds() if oldest else None,
        "last_hour": rate(now - timedelta(hours=1)).as_dict(),
        "last_day": rate(now - timedelta(days=1)).as_dict(),
        "breaker": {
            "open": row.probe_at is not None,
            "opened_at": row.opened_at,
            "probe_at": row.probe_at,
            "failures": row.failures,
            "reason": row.reason,
        },
    }


def brief() -> dict[str, Any]:
    """What health says: the state, how much waits, and what a person should see to."""
    row = breaker.state()
    dead = Delivery.objects.filter(status=Status.DEAD).count()
    waiting = Delivery.objects.filter(status__in=OPEN).count()
    problems = []
    if settings.ALPINE_API_KEY and row.probe_at is not None:
        problems.append(f"Sync is paused: {row.reason}")
    if dead:
        problems.append(f"{dead} deliveries are dead: see the admin site, or sync_signals.")
    return {"state": _state(row.probe_at is not None), "pending": waiting, "problems": problems}


def rate(since: datetime) -> Rate:
    """What ended since then."""
    delivered = Delivery.objects.filter(delivered_at__gte=since).count()
    dead = Delivery.objects.filter(status=Status.DEAD, attempted_at__gte=since).count()
    return Rate(delivered, dead)


def _state(is_open: bool) -> str:
    if not settings.ALPINE_API_KEY:
        return "off"
    return "paused" if is_open else "on"
