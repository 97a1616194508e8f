"""The list of alerts, and what is asked and answered about them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from signals.api.schemas import Fault
from signals.ledger.queries import Moment
from signals.ledger.validation import Label, SignalName
from signals.retrieval.lists import ListItem, Number, PagedQuery, Symbol

MOST_READ = 200
"""Alerts that one call reads again: each is a transaction."""


class AlertItem(ListItem):
    """An alert, and what became of it: with `fields` it has these alone.

    `status` is `signal` (its signal is `signal_id`), `ended` (that signal has an outcome too),
    `waiting` (a worker carries it out), `done` (an exit, as `result` says), `unread` (`faults` say
    why) or `resolved`. `body` is without secrets, and in base64 if `is_base64`; that of an alert
    that is a signal is in the signal's `extra`.
    """

    id: int
    alert_id: str
    sender: str = Field(alias="sender.name")
    received_at: datetime
    status: str
    symbol: str
    side: str
    price: float | None
    signal_id: str
    result: str
    faults: list[Fault]
    due_at: datetime | None
    body: str
    is_base64: bool
    content_type: str


class AlertPage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page."""

    items: list[AlertItem]
    next: int | None


class AlertQuery(PagedQuery):
    """Filters of alerts."""

    item: ClassVar = AlertItem
    handled: ClassVar = frozenset({"sender", "status", "signal_id", "alert_id"})
    contained: ClassVar = frozenset({"result", "body"})

    sender: Label | None = None
    status: Literal["signal", "waiting", "done", "unread", "resolved", "ended"] | None = None
    alert_id: SignalName | None = None
    signal_id: SignalName | None = None
    symbol: Symbol | None = None
    side: Literal["BUY", "SELL"] | None = None
    min_price: Number | None = None
    max_price: Number | None = None
    result: Label | None = Field(None, description="A text that the result contains")
    body: Label | None = Field(None, description="A text that the body contains")
    content_type: Label | None = None
    received_since: Moment | None = None
    received_until: Moment | None = None
    due_since: Moment | None = None
    due_until: Moment | None = None


class ReadIn(Schema):
    """Select unread alerts by their sender or by their ids; without either, the oldest of all."""

    model_config = ConfigDict(extra="forbid")

    sender: Label | None = None
    alert_ids: Annotated[list[SignalName] | None, Field(max_length=MOST_READ)] = None


class ReadItem(Schema):
    """What became of one alert: `read`, with the ids of its `signals` and `exits`; or `unread`,
    with the faults that are left."""

    alert_id: str
    status: Literal["read", "unread"]
    signals: list[str]
    exits: list[str]
    errors: list[Fault]


class ReadOut(Schema):
    """How many alerts were read, and how many of those looked at stay unread. `more` is true if
    others are unread that were not looked at."""

    read: int
    unread: int
    more: bool
    results: list[ReadItem]


class Resolved(Schema):
    """How many alerts were closed without being read."""

    resolved: int
