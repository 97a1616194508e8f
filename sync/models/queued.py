"""What every table of deliveries shares: how each delivery is claimed, tried and ended."""

from typing import Any

from django.db import models
from django.db.models import BooleanField, Value
from django.db.models.expressions import RawSQL

STATUSES = ("pending", "sending", "delivered", "dead")


class QueuedDelivery(models.Model):
    """The duty to send something: a row from before the first attempt."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"  # waits until it is due
        SENDING = "sending", "sending"  # a worker has it
        DELIVERED = "delivered", "delivered"  # the receiver has it
        DEAD = "dead", "dead"  # needs a person

    status = models.TextField(choices=Status.choices, db_default=Value(Status.PENDING.value))
    attempts = models.IntegerField(db_default=Value(0))
    due_at = models.DateTimeField(
        help_text="When the next try is due; while it is sent: when the worker's lease ends"
    )
    queued_at = models.DateTimeField()
    claim = models.TextField(db_default=Value(""), help_text="The worker that has it")
    attempted_at = models.DateTimeField(null=True)
    last_status = models.IntegerField(null=True, help_text="The last HTTP status")
    last_answer = models.TextField(db_default=Value(""), help_text="The last answer, or the error")
    delivered_at = models.DateTimeField(null=True)

    objects: "models.Manager[Any]"

    class Meta:
        abstract = True


def is_open(table: str, only: str = "", values: tuple[Any, ...] = ()) -> RawSQL:
    """Select the deliveries of a table that are not finished; `only` is another SQL condition, a
    constant of the caller.

    The states are literals, not parameters: otherwise the database could not use a partial index
    and would scan all past deliveries.
    """
    states = f"{table}.status IN ('pending', 'sending')"
    sql = f"{states} AND {only}" if only else states
    return RawSQL(sql, values, output_field=BooleanField())  # noqa: S611


def is_dead(table: str) -> RawSQL:
    """Select the dead deliveries of a table by a partial index, for the same reason."""
    return RawSQL(f"{table}.status = 'dead'", [], output_field=BooleanField())  # noqa: S611
