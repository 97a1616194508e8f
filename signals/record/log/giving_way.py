"""Lets the flush go first: while it has a backlog, lines are entered only now and then.

SQLite has one writer at a time, and a small machine few processors. A signal that is stored late is
traded late; one that is entered a few seconds later loses nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from signals.journal import Journal, JournalPosition
from signals.models import JournalCursor

BACKLOG = 2**20
"""Pending bytes of a journal, about 2,000 lines: less waits also while signals come one by one."""
TURN_EVERY = 5.0
"""Seconds: while the flush has a backlog, one batch is entered so often."""


@dataclass
class FlushFirst:
    """Says if the lines of one journal are to be entered later; call it before each batch."""

    journal: Journal
    using: str = "default"
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None

    def __call__(self) -> bool:
        """Return whether to wait; between two turns of a batch at most TURN_EVERY long."""
        if not has_backlog(self.journal, self.using):
            self._since = None
            return False
        now = self.clock()
        if self._since is None:
            self._since = now
        if now - self._since < TURN_EVERY:
            return True
        self._since = now
        return False


def has_backlog(journal: Journal, using: str = "default") -> bool:
    """Return whether more of a journal waits for the flush than signals that come one by one."""
    cursor = JournalCursor.objects.using(using).of(journal.identity)
    position = JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    return journal.pending_bytes(position) > BACKLOG
