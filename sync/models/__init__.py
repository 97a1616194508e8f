"""What waits to be sent: signals to Alpine, events to subscriptions, messages to people, and
checkpoints of the public record to witnesses and time stamp authorities."""

from sync.models.breaker import Breaker
from sync.models.delivery import DEAD, OPEN, Delivery
from sync.models.notice import Notice
from sync.models.queued import QueuedDelivery, is_open
from sync.models.submission import RecordSubmission
from sync.models.webhook import DEAD_EVENTS, OPEN_EVENTS, EventDelivery, Subscription

__all__ = [
    "DEAD",
    "DEAD_EVENTS",
    "OPEN",
    "OPEN_EVENTS",
    "Breaker",
    "Delivery",
    "EventDelivery",
    "Notice",
    "QueuedDelivery",
    "RecordSubmission",
    "Subscription",
    "is_open",
]
