"""Notices senders that are silent for longer than expected."""

from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from signals.events import EventType, publish
from signals.market.hours import TradingHours
from signals.models import Sender
from signals.timestamps import utc_text

LOOKED_AT = timedelta(days=60)


def look(now: datetime) -> int:
    """Mark the senders that are late since the last look; return how many."""
    senders = Sender.objects.filter(revoked_at=None, late_since=None, expected_every__isnull=False)
    return sum(_mark(sender, now) for sender in senders if is_late(sender, now))


def is_late(sender: Sender, now: datetime) -> bool:
    """Return whether the sender should have been heard by now.

    If it is expected only in market hours, only these are counted.
    """
    if sender.expected_every is None:
        return False
    every = timedelta(seconds=sender.expected_every)
    since = sender.heard_at or sender.created_at
    if now - since <= every:
        return False
    return not sender.in_market_hours or _open_between(since, now) > every


def _open_between(since: datetime, now: datetime) -> timedelta:
    """Return for how long the market was open in this time, or in its last weeks."""
    hours, since = _hours(settings.MARKET_EXCHANGE), max(since, now - LOOKED_AT)
    total = timedelta()
    for day in hours.days(hours.day_of(since), hours.day_of(now)):
        if (close := hours.close_of(day)) is not None:
            total += max(timedelta(), min(close, now) - max(hours.began(close), since))
    return total


def _mark(sender: Sender, now: datetime) -> int:
    """Mark the sender and publish that it is late, once, whatever number of workers look."""
    with transaction.atomic():
        rows = Sender.objects.filter(pk=sender.pk, late_since=None, heard_at=sender.heard_at)
        if not rows.update(late_since=now):
            return 0
        publish(EventType.SENDER_LATE, {
            "sender": sender.name,
            "heard_at": utc_text(sender.heard_at) if sender.heard_at else None,
            "expected_every": sender.expected_every,
            "late_since": utc_text(now),
        })  # fmt: skip
    return 1


@cache
def _hours(exchange: str) -> TradingHours:
    """Return the exchange's hours; by their name, because the calendars load pandas."""
    made: TradingHours = import_string("signals.market.hours.exchange_hours")(exchange)
    return made
