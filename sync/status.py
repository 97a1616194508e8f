"""The state of the deliveries, for health, the API, the admin site and the command."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min

from signals.status_text import PERIODS, age, period_lines, share
from sync import breaker
from sync.models import OPEN, Delivery
from sync.problems import count_dead

Status = Delivery.Status


@dataclass(frozen=True)
class SuccessRate:
    """The numbers of deliveries that ended within a period."""

    delivered: int
    dead: int

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, and the delivered share from 0 to 1: None if nothing ended."""
        success = share(self.delivered, self.delivered + self.dead)
        return {"delivered": self.delivered, "dead": self.dead, "success_rate": success}


def status(now: datetime) -> dict[str, Any]:
    """Return the state, the counts, the age in seconds of the oldest delivery that waits, the
    success rates of the last hour and day, and the breaker."""
    number, oldest = waiting(now)
    row = breaker.state()
    rates = {name: success_rate(now - period).as_dict() for name, period in PERIODS.items()}
    return {
        "state": _state(row.probe_at is not None),
        "pending": number,
        "delivered": Delivery.objects.filter(delivered_at__isnull=False).count(),
        "dead": count_dead(),
        "oldest_pending_seconds": oldest,
        **rates,
        "breaker": {
            "open": row.probe_at is not None,
            "opened_at": row.opened_at,
            "probe_at": row.probe_at,
            "failures": row.failures,
            "reason": row.reason,
        },
    }


def brief() -> dict[str, Any]:
    """Return the part for health: the state, and how many deliveries wait."""
    return {
        "state": _state(breaker.state().probe_at is not None),
        "pending": Delivery.objects.filter(OPEN).count(),
    }


def waiting(now: datetime) -> tuple[int, float | None]:
    """Return how many deliveries are not finished, and the age in seconds of the oldest; None if
    all are finished."""
    found = Delivery.objects.filter(OPEN).aggregate(count=Count("pk"), oldest=Min("queued_at"))
    return found["count"], age(found["oldest"], now)


def last_failures(count: int) -> list[Delivery]:
    """Return deliveries that failed and are not delivered, with their signals: dead ones, the
    latest first, then those whose next try is the furthest away."""
    rows = Delivery.objects.select_related("signal")
    dead = rows.filter(status=Status.DEAD).order_by("-attempted_at")[:count]
    tried = rows.filter(OPEN).exclude(attempts=0).order_by("-due_at")[:count]
    return [*dead, *tried][:count]


def success_rate(since: datetime) -> SuccessRate:
    """Count the deliveries that ended since then."""
    delivered = Delivery.objects.filter(delivered_at__gte=since).count()
    dead = Delivery.objects.filter(status=Status.DEAD, attempted_at__gte=since).count()
    return SuccessRate(delivered, dead)


def _state(is_open: bool) -> str:
    if not settings.ALPINE_API_KEY:
        return "off"
    return "paused" if is_open else "on"


def as_text(found: dict[str, Any]) -> str:
    """Return the result of `status` as text for a person."""
    lines = ["Sync is off: ALPINE_API_KEY is not set."]
    if found["state"] != "off":
        lines = [f"Sync is {found['state']}."]
    if found["state"] == "paused":
        breaker = found["breaker"]
        lines.append(f"The next try is at {breaker['probe_at']:%H:%M:%S}: {breaker['reason']}")
    lines.append(
        f"{found['pending']} pending, {found['delivered']} delivered, {found['dead']} dead"
    )
    if found["oldest_pending_seconds"] is not None:
        lines.append(f"The oldest has waited for {found['oldest_pending_seconds']:.0f} s.")
    return "\n".join([*lines, *period_lines(found, _rate_text)])


def _rate_text(rate: dict[str, Any]) -> str:
    if rate["success_rate"] is None:
        return "nothing ended"
    return f"{rate['success_rate']:.1%} delivered"
