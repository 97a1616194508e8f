"""Makes an alert that is known by its text alone one alert, in all processes and machines.

The first process that claims the text in the database gives the alert its id; any other one that
takes the same text within the sender's `dedup_window` gets this id, also if both take it at once.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import Error as DatabaseError
from django.db import connection, transaction

from signals.ahead import limit
from signals.clock import utc_now
from signals.ledger.in_time import Asking, NoAnswer
from signals.models import AlertClaim

logger = logging.getLogger(__name__)
WAIT = 1.0
"""Seconds that a hook waits for a claim: senders give up after three."""
KEPT = timedelta(days=2)
"""Longer than the longest `dedup_window`."""
THREADS = 2
# A claim at a time that only a clock which was ahead can have written is over.
_CLAIM = """
INSERT INTO alert_claims (key, alert_id, at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET alert_id = excluded.alert_id, at = excluded.at
WHERE alert_claims.at < %s OR alert_claims.at > %s
RETURNING alert_id
"""
_asking = Asking(THREADS)


class Claimed(NamedTuple):
    """The id of an alert, and when it came first."""

    alert_id: str
    at: datetime


def claim(key: str, alert_id: str, at: datetime, window: timedelta) -> Claimed:
    """Return the alert with this text: the one that came `at`, unless the same came before.

    To claim twice changes nothing.
    """
    return claim_each({key: alert_id}, at, window)[key]


def claim_each(wanted: Mapping[str, str], at: datetime, window: timedelta) -> dict[str, Claimed]:
    """Do the same for each of these keys, in one transaction: one alert may have many symbols."""
    with transaction.atomic():  # always in one order, so that no two wait for each other
        return {key: _claim(key, wanted[key], at, window) for key in sorted(wanted)}


def claim_in_time(wanted: Mapping[str, str], at: datetime, window: timedelta) -> dict[str, Claimed]:
    """Do the same; return nothing if the database does not answer in time."""
    if not wanted:
        return {}
    try:
        return _asking.within(WAIT, "default", lambda: claim_each(wanted, at, window))
    except (NoAnswer, DatabaseError) as error:
        logger.warning("An alert is not claimed yet: a worker does it (%s)", error)
        return {}


def _claim(key: str, alert_id: str, at: datetime, window: timedelta) -> Claimed:
    adapt = connection.ops.adapt_datetimefield_value
    times = [adapt(each) for each in (at, at - window, limit(utc_now()))]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [key, alert_id, *times])
        if cursor.fetchone() is not None:
            return Claimed(alert_id, at)
    held = AlertClaim.objects.filter(pk=key).first()
    if held is None or abs(held.at - at) > window:
        return Claimed(alert_id, at)  # it came long before the one that has the key now
    return Claimed(held.alert_id, held.at)


def forget_old(now: datetime) -> int:
    """Delete the claims whose window has ended; return how many."""
    old = AlertClaim.objects.filter(at__lt=now - KEPT)
    if not old.exists():  # on SQLite even an empty DELETE waits for every writer
        return 0
    return old.delete()[0]
