"""Times the insert of a signal, and leaves no row behind."""

import time
from uuid import uuid4

import orjson
from django.db import transaction

from signals.clock import utc_now
from signals.journal import Line, Offset
from signals.ledger.records import Record, decode, encode
from signals.ledger.store import store_fresh
from signals.models import JournalCursor
from signals.timestamps import utc_text

ORIGIN = "trial"


class _RollBack(Exception):
    """Ends the transaction of a trial."""


def time_insert(journal: str, using: str = "default") -> float:
    """Insert a made-up signal as a flush does, roll that back, and return the seconds it took.

    No handler is called. The wait for other writers counts; the commit, which does not happen, does
    not. PostgreSQL skips one row id. Raises what the database raises.
    """
    record = _made_up()
    began = time.perf_counter()
    try:
        with transaction.atomic(using=using):
            cursor = JournalCursor.objects.using(using).of(journal)
            store_fresh([record], cursor, utc_text(utc_now()), using=using)
            raise _RollBack
    except _RollBack:
        return time.perf_counter() - began


def trial_line() -> bytes:
    """Return the journal line of a signal that nobody made, to try things with."""
    now = utc_now()
    signal = {
        "signal_id": f"trial-{uuid4().hex}",
        "symbol": "TRIAL",
        "action": "BUY",
        "entry_price": 150.5,
        "target_price": 158.0,
        "stop_price": 146.0,
        "confidence": 85.5,
        "strategy": "trial",
        "asset_type": "stock",
        "timestamp": utc_text(now),
    }
    return encode(signal, now, ORIGIN)[1]


def _made_up() -> Record:
    line = trial_line()
    return decode(orjson.loads(line), Line(Offset(1, 0), line))
