"""Reports if the journal is no longer the file that the database has read."""

from typing import NamedTuple

from signals.journal import Journal, JournalPosition, JournalReplaced
from signals.models import DeadLetter, JournalCursor


class JournalState(NamedTuple):
    """`pending_bytes` are not in the database yet; `problems` tell a person what to do."""

    pending_bytes: int
    problems: list[str]


def journal_state(journal: Journal) -> JournalState:
    """Compare the journal's files with the database's cursor."""
    cursor = JournalCursor.objects.filter(journal=journal.identity).first()
    position = JournalPosition(1, 0, "")
    if cursor is not None:
        position = JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    return JournalState(
        journal.pending_bytes(position),
        [*_replaced(journal, position), *_rescued(journal), *_reported(cursor)],
    )


def _replaced(journal: Journal, position: JournalPosition) -> list[str]:
    try:
        journal.check(position)
    except JournalReplaced as replaced:
        return [f"{replaced} The next flush reads the file that exists now from its start."]
    return []


def _rescued(journal: Journal) -> list[str]:
    return [
        f"{path.name} was deleted or moved away, and was put back. Find out why, then rename "
        "the file without '-rescued'."
        for path in journal.segments.rescued()
    ]


def _reported(cursor: JournalCursor | None) -> list[str]:
    """Return losses that a flush found, until a person resolves their dead letters."""
    letters = DeadLetter.objects.filter(
        journal=cursor, kind=DeadLetter.Kind.JOURNAL, resolved_at=None
    )
    return [letter.reason for letter in letters[:10]]
