"""The deliveries of signals to Alpine."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from signals.constraints import known_values
from signals.models import Signal
from sync.models.queued import STATUSES, QueuedDelivery, is_dead, is_open


class Delivery(QueuedDelivery):
    """The duty to send one signal to Alpine: a row from before the first attempt, for good."""

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="delivery"
    )
    payload = models.TextField(db_default=Value(""), help_text="The body that was sent, if dead")

    objects: "models.Manager[Delivery]" = models.Manager()

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [known_values("deliveries", status=STATUSES)]
        indexes: ClassVar = [
            # sync.claims, and the counts of sync.status
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["pending", "sending"]),
                name="deliveries_due",
            ),
            # sync.status: deliveries within the last hour and day
            models.Index(
                fields=["delivered_at"],
                condition=Q(delivered_at__isnull=False),
                name="deliveries_delivered",
            ),
            # sync.recovery.retry_dead: all dead deliveries, and those since a time
            models.Index(
                fields=["attempted_at"], condition=Q(status="dead"), name="deliveries_dead"
            ),
            # sync.api.deliveries: pages of dead deliveries
            models.Index(
                fields=["signal"], condition=Q(status="dead"), name="deliveries_dead_rows"
            ),
        ]

    def __str__(self) -> str:
        return f"Delivery of {self.signal}"


OPEN = is_open("deliveries")
"""Select the deliveries to Alpine that are not finished."""
DEAD = is_dead("deliveries")
"""Select the dead ones."""
