"""The state of the subscriptions and of their events, for pages, the API, metrics and commands."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Min

from signals.status_text import age
from sync.models import DEAD_EVENTS, OPEN_EVENTS, Breaker, EventDelivery, Subscription

PAUSED = "paused"


@dataclass(frozen=True)
class SubscriptionStatus:
    """A subscription, and how its events stand.

    `oldest` is the age in seconds of the oldest event that waits, None if none does. `paused_for`
    is why sending pauses, empty if it does not.
    """

    subscription: Subscription
    pending: int
    dead: int
    oldest: float | None
    failing_since: datetime | None
    paused_for: str

    @property
    def state(self) -> str:
        """Return the subscription's state, or `paused` if its receiver does not answer."""
        is_paused = self.subscription.state == "active" and self.paused_for
        return PAUSED if is_paused else self.subscription.state

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the secrets, for programs."""
        names = ("name", "url", "types", "state", "reason", "made_by", "made_at", "changed_at")
        return {
            **{name: getattr(self.subscription, name) for name in names},
            "pending": self.pending,
            "dead": self.dead,
            "oldest_pending_seconds": self.oldest,
            "failing_since": self.failing_since,
            "paused_for": self.paused_for,
        }


class Totals(NamedTuple):
    """Sums over subscriptions: what waits, the age of the oldest in seconds, what is dead, and how
    many subscriptions are in each state."""

    pending: int
    oldest: float
    dead: int
    states: dict[str, int]


def statuses(now: datetime) -> list[SubscriptionStatus]:
    """Return the status of each subscription, in the order in which they were made."""
    waiting = _grouped(EventDelivery.objects.filter(OPEN_EVENTS))
    dead = _grouped(EventDelivery.objects.filter(DEAD_EVENTS))
    breakers = {row.target: row for row in Breaker.objects.exclude(probe_at=None)}
    return [
        _status(each, waiting.get(each.pk), dead.get(each.pk), breakers, now)
        for each in Subscription.objects.order_by("pk")
    ]


def status_of(subscription: Subscription, now: datetime) -> SubscriptionStatus:
    """Return the status of one subscription."""
    return next(each for each in statuses(now) if each.subscription.pk == subscription.pk)


def totals_of(found: Iterable[SubscriptionStatus]) -> Totals:
    """Return the sums over subscriptions; what waits is that for active ones."""
    each = list(found)
    active = [one for one in each if one.subscription.state == "active"]
    states = Counter({"active": 0, PAUSED: 0, "revoked": 0, "ended": 0})
    states.update(one.state for one in each)
    return Totals(
        sum(one.pending for one in active),
        max((one.oldest or 0 for one in active), default=0),
        sum(one.dead for one in active),
        dict(states),
    )


def _grouped(rows: Any) -> dict[int, dict[str, Any]]:  # noqa: ANN401  # a QuerySet of EventDelivery
    grouped = rows.order_by().values("subscription_id")
    found = grouped.annotate(count=Count("pk"), oldest=Min("queued_at"))
    return {row["subscription_id"]: row for row in found}


def _status(
    subscription: Subscription,
    waiting: dict[str, Any] | None,
    dead: dict[str, Any] | None,
    breakers: dict[str, Breaker],
    now: datetime,
) -> SubscriptionStatus:
    breaker = breakers.get(f"webhook:{subscription.pk}")
    return SubscriptionStatus(
        subscription,
        waiting["count"] if waiting else 0,
        dead["count"] if dead else 0,
        age(waiting["oldest"], now) if waiting else None,
        breaker.opened_at if breaker else None,
        breaker.reason if breaker else "",
    )
