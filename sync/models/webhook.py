"""Subscriptions to events, and the deliveries to each of them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from signals.constraints import known_values
from sync.models.queued import STATUSES, QueuedDelivery, is_dead, is_open


class Subscription(models.Model):
    """A receiver of events: its address, the types that it wants, and its secret."""

    class State(models.TextChoices):
        ACTIVE = "active", "active"
        REVOKED = "revoked", "revoked"  # by a person
        ENDED = "ended", "ended"  # by the receiver, with 410

    name = models.TextField(unique=True)
    url = models.TextField()
    types = models.JSONField(help_text="The types of events that it wants")
    state = models.TextField(choices=State.choices, default=State.ACTIVE)
    reason = models.TextField(default="", help_text="Why it is not active")
    secret = models.TextField(help_text="Signs what is sent; never shown again")
    old_secret = models.TextField(default="", help_text="The one before, which signs for a day too")
    old_secret_until = models.DateTimeField(null=True)
    made_by = models.TextField()
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="When its state last changed")

    class Meta:
        db_table = "subscriptions"
        constraints: ClassVar = [
            known_values("subscriptions", state=["active", "revoked", "ended"])
        ]

    def __str__(self) -> str:
        return self.name


class EventDelivery(QueuedDelivery):
    """The duty to send one event to one subscription."""

    subscription = models.ForeignKey(
        Subscription, models.PROTECT, db_index=False, related_name="deliveries"
    )
    event_id = models.TextField(help_text="The header webhook-id, the same in every try")
    type = models.TextField()
    body = models.TextField(help_text="What is sent: type, timestamp and data")

    objects: "models.Manager[EventDelivery]" = models.Manager()

    class Meta:
        db_table = "event_deliveries"
        verbose_name_plural = "event deliveries"
        constraints: ClassVar = [known_values("event_deliveries", status=STATUSES)]
        indexes: ClassVar = [
            # sync.claims: what is due for a subscription
            models.Index(
                fields=["subscription", "due_at", "id"],
                condition=Q(status__in=["pending", "sending"]),
                name="event_deliveries_due",
            ),
            # sync.webhooks.retrying: dead deliveries, by subscription
            models.Index(
                fields=["subscription", "id"],
                condition=Q(status="dead"),
                name="event_deliveries_dead",
            ),
            # sync.webhooks.retrying and .keeping: what was queued since, or before, a time
            models.Index(fields=["queued_at"], name="event_deliveries_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.subscription}"


OPEN_EVENTS = is_open("event_deliveries")
"""Select the deliveries of events that are not finished."""
DEAD_EVENTS = is_dead("event_deliveries")
"""Select the dead ones."""
