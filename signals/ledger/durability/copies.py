"""Counts the acknowledged lines that are on one disk only: in this machine's journal."""

from typing import NamedTuple

from django.db import DatabaseError

from signals.journal import Journal, JournalPosition, JournalReplaced
from signals.journal.segments import START
from signals.ledger.journal_state import Undrained, oldest_in
from signals.models import JournalCursor

_seen: dict[str, JournalPosition] = {}
"""Where the database last was in each journal, for when it does not answer."""


class OneCopy(NamedTuple):
    """The lines that are not in the database; None if it has not answered this process yet.

    If the database does not answer now, they are counted from where it was last.
    """

    undrained: Undrained | None
    is_current: bool


def one_copy(journal: Journal, *, asks_database: bool = True, using: str = "default") -> OneCopy:
    """Return what would be lost with this machine's disk."""
    is_current = asks_database and _look(journal, using)
    position = _seen.get(journal.identity)
    if position is None:
        return OneCopy(None, is_current)
    return OneCopy(_following(journal, position, using), is_current)


def _look(journal: Journal, using: str) -> bool:
    """Note where the database is in the journal; return whether it answered."""
    try:
        cursors = JournalCursor.objects.using(using).filter(journal=journal.identity)
        found = cursors.values_list("segment", "byte", "fingerprint").first()
    except DatabaseError:
        return False
    _seen[journal.identity] = JournalPosition(*found) if found else START
    return True


def _following(journal: Journal, position: JournalPosition, using: str) -> Undrained:
    try:
        first = journal.read(position, max_lines=1)
    except JournalReplaced:
        position = journal.restart(position)
        first = journal.read(position, max_lines=1)
    try:
        oldest = oldest_in(first, using)
    except DatabaseError:  # only an outcome change needs it
        oldest = None
    return Undrained(journal.pending_lines(position), oldest)
