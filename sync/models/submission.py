"""Checkpoints of the public record that are sent to witnesses and to time stamp authorities."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from signals.constraints import known_values
from sync.models.queued import STATUSES, QueuedDelivery


class RecordSubmission(QueuedDelivery):
    """The duty to send one checkpoint to one witness or authority."""

    class Kind(models.TextChoices):
        WITNESS = "witness", "witness"
        AUTHORITY = "authority", "time stamp authority"

    kind = models.TextField(choices=Kind.choices)
    target = models.TextField(help_text="The name of the witness's key, or the address")
    size = models.BigIntegerField(help_text="Entries of the checkpoint")

    objects: "models.Manager[RecordSubmission]" = models.Manager()

    class Meta:
        db_table = "record_submissions"
        constraints: ClassVar = [
            known_values("record_submissions", status=STATUSES, kind=["witness", "authority"])
        ]
        indexes: ClassVar = [
            # sync.claims: what is due for a target
            models.Index(
                fields=["kind", "target", "due_at"],
                condition=Q(status__in=["pending", "sending"]),
                name="record_submissions_due",
            ),
            # sync.record.rounds and .problems: the last one of a kind, and of a target
            models.Index(fields=["kind", "queued_at"], name="record_submissions_queued"),
        ]

    def __str__(self) -> str:
        return f"checkpoint of {self.size} to {self.target} ({self.status})"
