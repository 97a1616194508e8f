"""How the deliveries stand, for health, the API, the admin and the command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min

from sync import breaker
from sync.models import OPEN, Delivery

Status = Delivery.Status


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
    waiting = Delivery.objects.filter(OPEN).aggregate(count=Count("pk"), oldest=Min("queued_at"))
    oldest = waiting["oldest"]
    row = breaker.state()
    return {
        "state": _state(row.probe_at is not None),
        "pending": waiting["count"],
        "delivered": Delivery.objects.filter(delivered_at__isnull=False).count(),
        "dead": count_dead(),
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
    dead = count_dead()
    problems = []
    if settings.ALPINE_API_KEY and row.probe_at is not None:
        problems.append(f"Sync is paused: {row.reason}")
    if dead:
        problems.append(f"{dead} deliveries are dead: see the admin site, or sync_signals.")
    return {
        "state": _state(row.probe_at is not None),
        "pending": Delivery.objects.filter(OPEN).count(),
        "problems": problems,
    }


def count_dead() -> int:
    """How many wait for a person."""
    return Delivery.objects.filter(status=Status.DEAD).count()


def rate(since: datetime) -> Rate:
    """What ended since then."""
    delivered = Delivery.objects.filter(delivered_at__gte=since).count()
    dead = Delivery.objects.filter(status=Status.DEAD, attempted_at__gte=since).count()
    return Rate(delivered, dead)


def _state(is_open: bool) -> str:
    if not settings.ALPINE_API_KEY:
        return "off"
    return "paused" if is_open else "on"


def as_text(found: dict[str, Any]) -> str:
    """What `status` found, for a person."""
    lines = ["Sync is off: ALPINE_API_KEY is not set."]
    if found["state"] != "off":
        lines = [f"Sync is {found['state']}."]
    if found["state"] == "paused":
        breaker = found["breaker"]
        lines.append(f"It tries again at {breaker['probe_at']:%H:%M:%S}: {breaker['reason']}")
    lines.append(
        f"{found['pending']} pending, {found['delivered']} delivered, {found['dead']} dead"
    )
    if found["oldest_pending_seconds"] is not None:
        lines.append(f"The oldest has waited for {found['oldest_pending_seconds']:.0f} s.")
    for name in ("last_hour", "last_day"):
        rate = found[name]["success_rate"]
        share = "nothing ended" if rate is None else f"{rate:.1%} came through"
        lines.append(f"{name.replace('_', ' ')}: {share}")
    return "\n".join(lines)
