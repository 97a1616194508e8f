"""Counters of deliveries, in Prometheus's terms."""

from prometheus_client import Counter

ATTEMPTS = Counter(
    "argo_sync_attempts",
    "Claimed deliveries by their result: delivered, postponed, dead, or released unsent",
    ["result"],
)
EVENTS = Counter(
    "argo_events_attempts",
    "Claimed deliveries of events by their type and result, as those to Alpine",
    ["type", "result"],
)
