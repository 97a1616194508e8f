"""The version of what is stored: a text that changes with every change, found without reading it.

It is never the same for two different contents, as long as nobody changes rows by hand.
"""

from django.conf import settings
from django.db import connections

from signals.dialect import running_writers
from signals.instruments import rules

_OF_ALL = """
SELECT (SELECT max(id) FROM signals), (SELECT max(id) FROM outcome_changes),
    (SELECT max(id) FROM instrument_spellings),
    (SELECT sum(segment) FROM journal_cursors), (SELECT sum(byte) FROM journal_cursors),
    (SELECT max(signal) FROM signal_sum_cursors), (SELECT max(change) FROM signal_sum_cursors)
"""
_OF_ONE = """
SELECT id, (SELECT max(id) FROM outcome_changes WHERE signal_id = signals.id) FROM signals
WHERE signals.signal_id = %s
"""


def ledger_version(using: str = "default") -> str:
    """Return the version of all signals, with their outcomes, spellings and sums.

    On PostgreSQL it differs while transactions write: one may commit rows with lower keys than
    those that are visible already.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_OF_ALL)
        keys = cursor.fetchone()
    return " ".join(map(str, (settings.VERSION, rules(), *keys, running_writers(using))))


def signal_version(signal_id: str, using: str = "default") -> str | None:
    """Return the version of one signal, with its context and its outcome; None if there is none."""
    if "\0" in signal_id:
        return None
    with connections[using].cursor() as cursor:
        cursor.execute(_OF_ONE, [signal_id])
        found = cursor.fetchone()
    return None if found is None else " ".join(map(str, (settings.VERSION, *found)))
