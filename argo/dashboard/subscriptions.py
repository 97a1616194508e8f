"""Who gets events: each subscription with its state, and what waits for it or is dead."""

from argo.dashboard.panel import Content, Moment
from sync.webhooks.status import statuses


def read(moment: Moment) -> Content:
    """Return the subscriptions, in the order in which they were made."""
    found = statuses(moment.now)
    return {"rows": found, "dead": sum(each.dead for each in found)}
