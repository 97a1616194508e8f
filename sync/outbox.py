"""Queues signals for Alpine: in the transaction that stores them, or later."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import connection, transaction

from signals.ahead import limit
from signals.clock import utc_now
from signals.ledger.store import StoredSignal
from signals.rows import insert_missing
from signals.wakeup import WakeUp
from sync.models import OPEN, Delivery
from sync.retry import DELIVERY_LEASE

NOT_SENT = frozenset({"import", "adopted"})
"""Origins of old signals; Alpine gets them only if `import_signals --sync` asks for it."""

_QUEUE_MISSING = """
INSERT INTO deliveries (id, due_at, queued_at)
SELECT id, %s, %s FROM signals
WHERE id > %s AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.id = signals.id)
ORDER BY id LIMIT %s
ON CONFLICT (id) DO NOTHING RETURNING id
"""
BATCH_SIZE = 5000
"""Rows per transaction: it delays a flush no longer than another flush would."""


def enqueue(stored: Sequence[StoredSignal]) -> None:
    """Queue one delivery per signal, due at once. This is a stored handler."""
    ids = [signal.id for signal in stored if signal.origin not in NOT_SENT]
    if ids:
        due = connection.ops.adapt_datetimefield_value(utc_now())
        insert_missing(ids, "deliveries", {"due_at": due, "queued_at": due})
        if settings.ALPINE_API_KEY:
            transaction.on_commit(wake_deliver)


def wake_deliver() -> None:
    """Ask a worker to deliver. Return at once; nothing is lost if the message is."""
    _deliver_wakeup().notify()


@cache
def _deliver_wakeup() -> WakeUp:
    return WakeUp("sync.tasks.deliver", linger=0.1, is_awake=_is_being_sent)


def _is_being_sent() -> bool:
    """Return whether a worker is delivering: it looks again before it ends."""
    try:
        sending = Delivery.objects.filter(OPEN, status=Delivery.Status.SENDING)
        now = utc_now()
        return sending.filter(due_at__gt=now, due_at__lte=limit(now, DELIVERY_LEASE)).exists()
    finally:
        connection.close()  # this thread may not need one for long


def queue_missing(now: datetime) -> Iterator[int]:
    """Queue every signal that has no delivery, such as imported signals or a rebuilt database's.

    Yield the number of signals in each batch of up to `BATCH_SIZE`.
    """
    due = connection.ops.adapt_datetimefield_value(now)
    last = 0
    while ids := _queue_next(due, last):
        last = max(ids)
        yield len(ids)
    if last:
        wake_deliver()


def _queue_next(due: str | None, after: int) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_QUEUE_MISSING, [due, due, after, BATCH_SIZE])
        return [row[0] for row in cursor.fetchall()]
