"""Who sends alerts: each sender with when it was last heard, and what could not be read."""

from argo.dashboard.panel import Content, Moment
from signals.alerts.unread import count_unread, with_unread
from signals.models import Alert, Sender
from signals.models.alert import UNREAD_ALERTS, WAITING_ALERTS

SENDERS, NEWEST = 20, 5
"""Rows that are shown; the admin site has all."""


def read(moment: Moment) -> Content:
    """Return the senders, those that are late first, with the newest unread alerts."""
    valid = with_unread(Sender.objects.filter(revoked_at=None))
    shown = sorted(valid, key=lambda each: (each.late_since is None, each.name))
    newest = Alert.objects.filter(UNREAD_ALERTS).select_related("sender").order_by("-pk")
    return {
        "senders": shown[:SENDERS],
        "others": len(shown[SENDERS:]),
        "unread_count": count_unread(),
        "unread": newest[:NEWEST],
        "waiting": Alert.objects.filter(WAITING_ALERTS).count(),
    }
