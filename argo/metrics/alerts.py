"""Figures of what comes in by hooks: alerts that wait, unread ones, and late senders."""

from collections.abc import Iterator

from django.db.models import Min
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from signals.alerts.unread import count_unread
from signals.clock import utc_now
from signals.models import Alert, Sender
from signals.models.alert import WAITING_ALERTS
from signals.status_text import age


def alert_figures(shared: str) -> Iterator[Metric]:
    """Yield the figures; `shared` says that they are the same on every node."""
    waits = Alert.objects.filter(WAITING_ALERTS).aggregate(oldest=Min("received_at"))
    figures = (
        ("argo_alerts_unread", "Alerts that could not be read", count_unread()),
        (
            "argo_alerts_oldest_waiting_seconds", "Age of the oldest alert that is not carried out",
            age(waits["oldest"], utc_now()) or 0,
        ),
        ("argo_senders_late", "Senders that are silent for too long", _late()),
    )  # fmt: skip
    for name, text, value in figures:
        yield GaugeMetricFamily(name, f"{text}; {shared}", value=value)


def _late() -> int:
    return Sender.objects.filter(revoked_at=None, late_since__isnull=False).count()
