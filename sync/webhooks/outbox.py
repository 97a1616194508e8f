"""Queues events for the subscriptions that want them, in the transaction that makes them."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import uuid4

import orjson
from django.db import connection, transaction

from signals.clock import utc_now
from signals.events import EventData, EventType, ReadEvents
from signals.timestamps import utc_text
from signals.wakeup import WakeUp

_ACTIVE = "SELECT id, types FROM subscriptions WHERE state = 'active' ORDER BY id"
_INSERT = """
INSERT INTO event_deliveries (subscription_id, event_id, type, body, due_at, queued_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""


class QueuedEvent(NamedTuple):
    """An event with the id that each try brings along."""

    event_id: str
    type: str
    body: str


def enqueue(kind: EventType, read: ReadEvents) -> None:
    """Queue events for each subscription that wants their type; one of EVENT_HANDLERS."""
    if subscriptions := wanting(kind):
        now = utc_now()
        events = [event_of(kind, data, now) for data in read()]
        insert(subscriptions, events, now)


def wanting(kind: str) -> list[int]:
    """Return the active subscriptions that want events of this type."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE)
        rows = cursor.fetchall()
    return [pk for pk, types in rows if kind in _types(types)]


def _types(stored: str | list[str]) -> list[str]:
    """Return the types: PostgreSQL gives JSON as text here, too, as Django sets it up."""
    found: list[str] = orjson.loads(stored) if isinstance(stored, str) else stored
    return found


def event_of(kind: str, data: EventData, now: datetime) -> QueuedEvent:
    """Return the event about this data; its type and time come before it."""
    body = {"type": kind, "timestamp": utc_text(now), "data": data}
    return QueuedEvent(_id_of(kind, data), kind, orjson.dumps(body, default=str).decode())


def _id_of(kind: str, data: EventData) -> str:
    """Return the event's id; a signal that is stored again after a restore has the same one."""
    if kind == EventType.SIGNAL_STORED:
        about = f"{kind}\0{data['signal_id']}\0{data['sha256']}"
        return f"msg_{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    return f"msg_{uuid4().hex}"


def insert(subscriptions: Iterable[int], events: Sequence[QueuedEvent], now: datetime) -> None:
    """Insert a delivery of each event to each subscription, due at once."""
    moment = connection.ops.adapt_datetimefield_value(now)
    rows = [(pk, *event, moment, moment) for pk in subscriptions for event in events]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)
        transaction.on_commit(wake_sender)


def wake_sender() -> None:
    """Ask a worker to send events. Return at once; nothing is lost if the message is."""
    _wakeup().notify()


@cache
def _wakeup() -> WakeUp:
    return WakeUp("sync.tasks.send_events", linger=0.1)
