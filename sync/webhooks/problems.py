"""What is wrong with the subscriptions to events."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from signals.problems import Problem, ProblemKind
from signals.status_text import counted
from sync.models import Subscription
from sync.webhooks.status import SubscriptionStatus, statuses

LONGEST_WAIT = timedelta(minutes=15)
"""A subscription whose events wait for longer is a problem."""

ENDED = ProblemKind(
    "webhook.ended",
    "Ask who runs the receiver. Enable the subscription again with webhook --enable NAME, or "
    "revoke it with webhook --revoke NAME.",
    "webhooks.md#when-a-receiver-fails",
)
FAILING = ProblemKind(
    "webhook.failing",
    "Argo tries again by itself, and nothing is lost. Ask who runs the receiver; webhook --test "
    "NAME shows its answer. Revoke the subscription if nobody needs it.",
    "webhooks.md#when-a-receiver-fails",
)
DEAD = ProblemKind(
    "webhook.dead",
    "Look at the events in the admin site, correct the cause and send them again with webhook "
    "--retry-dead NAME.",
    "webhooks.md#when-a-receiver-fails",
)
KINDS = (ENDED, FAILING, DEAD)


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now."""
    for status in statuses(now):
        yield from _problems_of(status)


def _problems_of(status: SubscriptionStatus) -> Iterator[Problem]:
    subscription = status.subscription
    name, about = subscription.name, str(subscription.pk)
    if subscription.state == Subscription.State.ENDED:
        yield ENDED.found(f"The subscription {name!r} has ended: {subscription.reason}.", about)
    if subscription.state != Subscription.State.ACTIVE:
        return
    if status.oldest is not None and status.oldest > LONGEST_WAIT.total_seconds():
        why = f": {status.paused_for}" if status.paused_for else ""
        yield FAILING.found(
            f"The subscription {name!r} has not taken its events for {status.oldest:.0f} s{why}.",
            about,
        )
    if status.dead:
        events = counted(status.dead, "event of the subscription", "events of the subscription")
        yield DEAD.found(f"{events} {name!r} could not be delivered.", about)
