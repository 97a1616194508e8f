"""Lets the sequence go first: who writes much waits until what is stored has its index.

SQLite has one writer at a time, and its lock has no queue: a worker
with one transaction after the other would keep the feed's readers waiting for seconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections

from signals.dialect import is_shared
from signals.journal import Journal

LOOK_EVERY = 0.1
"""Seconds: between two transactions that are shorter, the sequence gets its turn anyway."""
RECHECK_INTERVAL = 0.01
LONGEST = 0.5
"""Seconds; a worker that has waited so long takes the sequence for dead."""
DEAD_FOR = 60.0
"""Seconds until the sequence is waited for again."""
_next: dict[str, float] = {}
"""When a process looks again, by the identity of the journal."""
_LAGS = """
SELECT EXISTS (
    SELECT 1 FROM journal_cursors flushed
    LEFT JOIN sequence_cursors reached ON reached.journal_id = flushed.id
    WHERE flushed.journal = %s AND (flushed.segment <> coalesce(reached.segment, 1)
        OR flushed.byte <> coalesce(reached.byte, 0))
) OR EXISTS (SELECT 1 FROM sequence_late)
"""


@dataclass
class GivingWay:
    """Gives way to the sequence of one journal; nothing waits for it on PostgreSQL."""

    journal: Journal
    using: str = "default"
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> None:
        """Wait until each line that was stored has its index. Call it outside any transaction."""
        name = self.journal.identity
        if is_shared(self.using) or self.clock() < _next.get(name, float("-inf")):
            return
        deadline = self.clock() + LONGEST
        while lags(self.journal, self.using):
            if self.clock() >= deadline:
                _next[name] = self.clock() + DEAD_FOR
                return
            self.sleep(RECHECK_INTERVAL)
        _next[name] = self.clock() + LOOK_EVERY


def lags(journal: Journal, using: str = "default") -> bool:
    """Return whether a line that was stored has no index yet."""
    with connections[using].cursor() as cursor:
        cursor.execute(_LAGS, [journal.identity])
        return bool(cursor.fetchone()[0])
