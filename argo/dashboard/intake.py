"""How fast signals are stored, and how their delivery to Alpine goes, in the last hour."""

from datetime import timedelta

from django.conf import settings

from argo.dashboard.panel import Content, Moment
from argo.metrics.summary import summary
from signals.ledger.dead_letters import unresolved
from sync import counts
from sync import status as sync_status

WINDOW = timedelta(hours=1)


def read(moment: Moment) -> Content:
    """Return the rates of the last hour, and what waits."""
    waiting, oldest = counts.waiting(moment.now)
    return {
        "rates": summary(WINDOW, moment.now),
        "sync": sync_status.state(),
        "endpoint": settings.ALPINE_ENDPOINT,
        "waiting": waiting,
        "oldest": oldest,
        "dead": counts.dead(),
        "letters": unresolved(),
    }
