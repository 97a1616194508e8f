"""Queues what was just stored for Alpine, in the transaction that stored it."""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

from signals.clock import utc_now
from signals.store import StoredSignal
from sync.hint import hint

NOT_SENT = frozenset({"import", "adopted"})
"""Origins of old signals, which Alpine gets only where `import_signals --sync` says so."""

_INSERT = "INSERT INTO deliveries (id, due_at, queued_at) VALUES (%s, %s, %s)"


def enqueue(stored: Sequence[StoredSignal]) -> None:
    """A stored handler: one delivery a signal, due at once."""
    due = connection.ops.adapt_datetimefield_value(utc_now())
    rows = [(signal.id, due, due) for signal in stored if signal.origin not in NOT_SENT]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)
        if settings.ALPINE_API_KEY:
            transaction.on_commit(hint)
