"""The queues of deliveries: a table, the part of it that goes to one target, and what is sent."""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet

from signals.log_context import about_signal
from signals.models import Signal
from sync.models import (
    Delivery,
    EventDelivery,
    Notice,
    QueuedDelivery,
    RecordSubmission,
    is_open,
)
from sync.payload import COLUMNS, payload
from sync.retry import SCHEDULE, Schedule


class Message(NamedTuple):
    """What is sent for one delivery: its id for the receiver and for logs, and the body."""

    row_id: int
    name: str
    body: bytes


@dataclass(frozen=True)
class DeliveryQueue:
    """The deliveries of a table that one target gets.

    `only` is an SQL condition on these, with a `%s` for each of `values`; its texts are constants
    of this module. `order` is theirs, and `schedule` says when a failed one is tried again.
    """

    model: type[QueuedDelivery]
    read: Callable[[Collection[int]], Iterable[Message]]
    only: str = ""
    values: tuple[Any, ...] = ()
    order: str = "due_at, id"
    schedule: Schedule = field(default=SCHEDULE)
    keeps_dead_bodies: bool = False
    about: Callable[[str], AbstractContextManager[None]] = lambda name: nullcontext()

    @property
    def table(self) -> str:
        """Return the table's name."""
        return self.model._meta.db_table

    def waiting(self) -> QuerySet[QueuedDelivery]:
        """Return the deliveries that are not finished."""
        return self.model._default_manager.filter(is_open(self.table, self.only, self.values))


def _signals(ids: Collection[int]) -> Iterable[Message]:
    rows = Signal.objects.filter(id__in=ids).values_list("id", *COLUMNS)
    return (Message(row_id, values[0], payload(values)) for row_id, *values in rows)


def _events(ids: Collection[int]) -> Iterable[Message]:
    rows = EventDelivery.objects.filter(id__in=ids).order_by("id")
    return (
        Message(*row[:2], row[2].encode()) for row in rows.values_list("id", "event_id", "body")
    )


def _notices(ids: Collection[int]) -> Iterable[Message]:
    rows = Notice.objects.filter(id__in=ids).order_by("id")
    return (Message(*row[:2], row[2].encode()) for row in rows.values_list("id", "title", "body"))


def _checkpoints(ids: Collection[int]) -> Iterable[Message]:
    """Return the sizes of checkpoints: the body is made when it is sent, with a proof."""
    rows = RecordSubmission.objects.filter(id__in=ids).order_by("id").values_list("id", "size")
    return (Message(row_id, str(size), b"") for row_id, size in rows)


TO_ALPINE = DeliveryQueue(
    Delivery, _signals, order="due_at", keeps_dead_bodies=True, about=about_signal
)
CHECKPOINT_SCHEDULE = Schedule((60, 300, 900, 3600))
NOTICE_SCHEDULE = Schedule((30, 60, 300, 900, 3600), jitter=0.0)


def to_subscription(pk: int) -> DeliveryQueue:
    """Return the queue of a subscription's events."""
    return DeliveryQueue(
        EventDelivery, _events, only="event_deliveries.subscription_id = %s", values=(pk,)
    )


def to_witness(name: str) -> DeliveryQueue:
    """Return the queue of the checkpoints for a witness."""
    return _of_record("witness", name)


def to_authority(url: str) -> DeliveryQueue:
    """Return the queue of the checkpoints for a time stamp authority."""
    return _of_record("authority", url)


def _of_record(kind: str, target: str) -> DeliveryQueue:
    only = "record_submissions.kind = %s AND record_submissions.target = %s"
    return DeliveryQueue(
        RecordSubmission, _checkpoints, only, (kind, target), schedule=CHECKPOINT_SCHEDULE
    )


def to_people(target: str, *, urgent_alone: bool = False) -> DeliveryQueue:
    """Return the queue of the messages to one target of NOTIFY_URLS."""
    only = "notices.target = %s" + " AND notices.is_urgent" * urgent_alone
    return DeliveryQueue(Notice, _notices, only, (target,), schedule=NOTICE_SCHEDULE)
