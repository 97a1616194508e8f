"""The deliveries to Alpine with their states, the circuit breaker, and messages to people."""

from typing import ClassVar

from django.db import models
from django.db.models import BooleanField, Q, Value
from django.db.models.expressions import RawSQL

from signals.constraints import known_values
from signals.models import Signal


class Delivery(models.Model):
    """The duty to send one signal to Alpine: a row from before the first attempt, for good."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"  # waits until it is due
        SENDING = "sending", "sending"  # a worker has it
        DELIVERED = "delivered", "delivered"  # Alpine has it
        DEAD = "dead", "dead"  # needs a person

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="delivery"
    )
    status = models.TextField(choices=Status.choices, db_default=Value(Status.PENDING.value))
    attempts = models.IntegerField(db_default=Value(0))
    due_at = models.DateTimeField(
        help_text="When the next try is due; while it is sent: when the worker's lease ends"
    )
    queued_at = models.DateTimeField()
    claim = models.TextField(db_default=Value(""), help_text="The worker that has it")
    attempted_at = models.DateTimeField(null=True)
    last_status = models.IntegerField(null=True, help_text="Alpine's last HTTP status")
    last_answer = models.TextField(
        db_default=Value(""), help_text="Alpine's last answer, or the error"
    )
    payload = models.TextField(db_default=Value(""), help_text="The body that was sent, if dead")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            known_values("deliveries", status=["pending", "sending", "delivered", "dead"])
        ]
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
        ]

    def __str__(self) -> str:
        return f"Delivery of {self.signal}"


OPEN = RawSQL("deliveries.status IN ('pending', 'sending')", [], output_field=BooleanField())
"""Select deliveries that are not finished. The states are literals, not parameters: otherwise the
database could not use the partial index `deliveries_due` and would scan all past deliveries."""


class Breaker(models.Model):
    """The state of the circuit breaker: one row that all workers share and restarts keep."""

    failures = models.IntegerField(default=0, help_text="Transport failures in a row")
    probe_at = models.DateTimeField(
        null=True, help_text="When the next probe is due; null if closed"
    )
    opened_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    refused_key = models.TextField(default="", help_text="SHA-256 of the key that was refused")

    class Meta:
        db_table = "sync_breaker"

    def __str__(self) -> str:
        return f"open: {self.reason}" if self.probe_at else "closed"


class Notice(models.Model):
    """A message to one target of NOTIFY_URLS: a row from before the first try."""

    target = models.TextField(help_text="The first characters of the SHA-256 of its address")
    title = models.TextField()
    body = models.TextField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(
        help_text="When the next try is due; while it is sent: when the sender's lease ends"
    )
    attempts = models.IntegerField(default=0)
    claim = models.TextField(default="", help_text="The process that sends it")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices"
        indexes: ClassVar = [
            # sync.courier: what waits for a target
            models.Index(
                fields=["target", "due_at"], condition=Q(sent_at=None), name="notices_due"
            ),
            # sync.courier: when a target got its last message
            models.Index(fields=["target", "sent_at"], name="notices_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({'sent' if self.sent_at else 'waits'})"
