"""The lists of what is sent: their items, and what they may be asked for."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from ninja import Schema
from pydantic import Field

from signals.events import EventType
from signals.ledger.queries import Moment
from signals.ledger.validation import Label, SignalName
from signals.retrieval.lists import ListItem, PagedQuery

Whole = Annotated[int, Field(ge=0, lt=2**31)]


class DeliveryItem(ListItem):
    """One delivery and its state: with `fields` it has these alone. `id` is the signal's row."""

    id: int = Field(alias="pk")
    signal_id: str = Field(alias="signal.signal_id")
    status: str
    attempts: int
    queued_at: datetime
    due_at: datetime
    attempted_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_answer: str


class DeliveryPage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page."""

    items: list[DeliveryItem]
    next: int | None


class EventItem(ListItem):
    """An event of one subscription: with `fields` it has these alone. `body` is what is sent."""

    id: int
    subscription: str = Field(alias="subscription.name")
    event_id: str
    type: str
    status: str
    attempts: int
    queued_at: datetime
    due_at: datetime
    attempted_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_answer: str
    body: str


class EventPage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page."""

    items: list[EventItem]
    next: int | None


class QueuedQuery(PagedQuery):
    """Filters that both kinds of deliveries have."""

    contained: ClassVar = frozenset({"last_answer"})

    status: Literal["pending", "sending", "delivered", "dead"] | None = None
    min_attempts: Whole | None = None
    max_attempts: Whole | None = None
    last_status: Whole | None = Field(None, description="The last HTTP status")
    last_answer: Label | None = Field(None, description="A text that the last answer contains")
    queued_since: Moment | None = None
    queued_until: Moment | None = None
    due_since: Moment | None = None
    due_until: Moment | None = None
    attempted_since: Moment | None = None
    attempted_until: Moment | None = None
    delivered_since: Moment | None = None
    delivered_until: Moment | None = None


class DeliveryQuery(QueuedQuery):
    """Filters of deliveries to Alpine."""

    item: ClassVar = DeliveryItem
    handled: ClassVar = frozenset({"status", "signal_id"})

    signal_id: SignalName | None = None


class EventQuery(QueuedQuery):
    """Filters of events; `name` is the subscription's."""

    item: ClassVar = EventItem
    handled: ClassVar = frozenset({"status", "name"})

    name: Label | None = Field(None, description="The subscription")
    type: EventType | None = None
    event_id: Label | None = None
