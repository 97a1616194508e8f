"""Claims a batch of journal lines: only one of several flushes moves the cursor past it."""

from functools import cached_property

from django.db import connections

from signals.journal import JournalPosition
from signals.models import JournalCursor

_MOVE = """
UPDATE journal_cursors SET segment = %s, byte = %s, fingerprint = %s
WHERE id = %s AND segment = %s AND byte = %s AND fingerprint = %s RETURNING {}
"""


class Claim:
    """Moves a cursor from where it was read to the end of a batch, in the caller's transaction.

    In a pipeline the answer comes with that of the next statement that is read.
    """

    def __init__(self, cursor: JournalCursor, end: JournalPosition, using: str) -> None:
        is_server = connections[using].vendor == "postgresql"
        told = "current_setting('synchronous_commit')" if is_server else "''"
        self._sent = connections[using].cursor()
        self._sent.execute(_MOVE.format(told), [*end, cursor.pk, *cursor.position])

    @cached_property
    def commits(self) -> str | None:
        """Return PostgreSQL's `synchronous_commit` for this transaction ('' on SQLite).

        None if another flush moved the cursor first: then the batch is not ours.
        """
        with self._sent:
            found = self._sent.fetchall()
        return found[0][0] if found else None
