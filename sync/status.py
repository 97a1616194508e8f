"""The state of the deliveries, for health, the API, the admin site and the command."""

from datetime import datetime
from typing import Any

from django.conf import settings

from signals.status_text import PERIODS, Capped, period_lines
from sync import breaker, counts
from sync.models import DEAD, OPEN, Delivery

COUNTS = ("pending", "delivered", "dead")


def status(now: datetime, most: int = counts.MOST) -> dict[str, Any]:
    """Return the state, the counts, the age in seconds of the oldest delivery that waits, the
    success rates of the last hour and day, and the breaker.

    The counts stop at `most`; `at_least` names those that did.
    """
    row = breaker.ALPINE.state()
    return {
        "state": state(),
        **_counts(now, most),
        "breaker": {
            "open": row.probe_at is not None,
            "opened_at": row.opened_at,
            "probe_at": row.probe_at,
            "failures": row.failures,
            "reason": row.reason,
        },
    }


def _counts(now: datetime, most: int) -> dict[str, Any]:
    pending, oldest = counts.waiting(now, most)
    found = dict(zip(COUNTS, (pending, counts.delivered(most), counts.dead(most)), strict=True))
    rates = {name: counts.ended_since(now - period, most) for name, period in PERIODS.items()}
    return {
        **{name: count.number for name, count in found.items()},
        "at_least": [name for name, count in found.items() if count.is_least],
        "oldest_pending_seconds": oldest,
        **{name: rate.as_dict() for name, rate in rates.items()},
    }


def state() -> str:
    """Return `off`, `on`, or `paused` while the breaker is open."""
    if not settings.ALPINE_API_KEY:
        return "off"
    return "paused" if breaker.ALPINE.state().probe_at is not None else "on"


def brief() -> dict[str, Any]:
    """Return the part for health: the state, and how many deliveries wait."""
    return {"state": state(), "pending": counts.pending().number}


def last_failures(count: int) -> list[Delivery]:
    """Return deliveries that failed and are not delivered, with their signals: dead ones, the
    latest first, then those whose next try is the furthest away."""
    rows = Delivery.objects.select_related("signal")
    dead = rows.filter(DEAD).order_by("-attempted_at")[:count]
    tried = rows.filter(OPEN).exclude(attempts=0).order_by("-due_at")[:count]
    return [*dead, *tried][:count]


def as_text(found: dict[str, Any]) -> str:
    """Return the result of `status` as text for a person."""
    lines = ["Sync is off: ALPINE_API_KEY is not set."]
    if found["state"] != "off":
        lines = [f"Sync is {found['state']}."]
    if found["state"] == "paused":
        breaker = found["breaker"]
        lines.append(f"The next try is at {breaker['probe_at']:%H:%M:%S}: {breaker['reason']}")
    lines.append(", ".join(_count_text(found, kind) for kind in COUNTS))
    if found["oldest_pending_seconds"] is not None:
        lines.append(f"The oldest has waited for {found['oldest_pending_seconds']:.0f} s.")
    return "\n".join([*lines, *period_lines(found, _rate_text)])


def _count_text(found: dict[str, Any], kind: str) -> str:
    return f"{Capped(found[kind], kind in found['at_least'])} {kind}"


def _rate_text(rate: dict[str, Any]) -> str:
    if rate["success_rate"] is None:
        return "nothing ended"
    of = f" of the newest {rate['delivered']:,}" if rate["at_least"] else ""
    return f"{rate['success_rate']:.1%}{of} delivered"
