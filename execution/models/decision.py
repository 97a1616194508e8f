"""Decisions: whether a signal is traded."""

from typing import ClassVar

from django.db import models
from django.db.models import BooleanField, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from signals.constraints import known_values
from signals.models import Signal


class Decision(models.Model):
    """A decision that is due on one signal; later its result, with every reason.

    `account` is where the signal would be traded. While a worker decides, `due_at` is when its
    lease ends.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"  # waits for a worker
        DECIDING = "deciding", "deciding"  # a worker has it
        EXECUTED = "executed", "executed"  # there is an order
        SKIPPED = "skipped", "skipped"  # `reasons` says why

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="decision"
    )
    account = models.TextField()
    status = models.TextField(choices=Status.choices, db_default=Value(Status.PENDING.value))
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.TextField(db_default=Value(""), help_text="The worker that decides now")
    asked_by = models.TextField(
        db_default=Value(""), help_text="The person who asked for it; empty if AUTO_EXECUTE decides"
    )
    decided_at = models.DateTimeField(null=True)
    skipped_for = models.TextField(
        db_default=Value(""), help_text="The codes of the reasons, separated by spaces"
    )
    reasons = models.JSONField(default=list)
    headroom = models.JSONField(
        null=True,
        help_text="How far the account was from each limit just before the order was made",
    )
    order_id = models.TextField(null=True, help_text="The id of the order that opens the position")
    earlier = models.JSONField(
        default=list,
        db_default=Value([], output_field=models.JSONField()),
        help_text="Earlier decisions on this signal, before it was asked for again",
    )

    class Meta:
        db_table = "decisions"
        constraints: ClassVar = [
            known_values("decisions", status=["pending", "deciding", "executed", "skipped"])
        ]
        indexes: ClassVar = [
            # execution.decisions.queue.claim, and the counts of execution.status
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["pending", "deciding"]),
                name="decisions_due",
            ),
            # execution.status: decisions of the last hour and day
            models.Index(fields=["account", "decided_at"], name="decisions_latest"),
            # execution.api.queries: pages of executed decisions, which are few
            models.Index(
                fields=["signal"], condition=Q(status="executed"), name="decisions_executed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.signal}"


WAITING = RawSQL("decisions.status IN ('pending', 'deciding')", [], output_field=BooleanField())
"""Not decided yet. The states are literals, not parameters: only then is the partial index
`decisions_due` used; without it, every decision ever made would be read."""
EXECUTED = RawSQL("decisions.status = 'executed'", [], output_field=BooleanField())
"""Select by the partial index `decisions_executed`, for the same reason."""


def skipped_for(rows: QuerySet[Decision], code: str) -> QuerySet[Decision]:
    """Return the decisions that have this reason among others."""
    space = Value(" ", output_field=TextField())
    codes = rows.annotate(codes=Concat(space, "skipped_for", space))
    return codes.filter(codes__contains=f" {code} ")
