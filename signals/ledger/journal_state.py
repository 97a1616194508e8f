"""Whether the journal is still the file that the database has read from."""

from typing import NamedTuple

from signals.journal import Journal, JournalReplaced, Position
from signals.models import DeadLetter, JournalCursor


class JournalState(NamedTuple):
    """`pending_bytes` are not in the database yet; `problems` say what a person should do."""

    pending_bytes: int
    problems: list[str]


def journal_state(journal: Journal) -> JournalState:
    """Compare the files with how far the database says they were read."""
    cursor = JournalCursor.objects.filter(journal=journal.identity).first()
    position = Position(1, 0, "")
    if cursor is not None:
        position = Position(cursor.segment, cursor.byte, cursor.fingerprint)
    return JournalState(
        journal.pending_bytes(position),
        [*_replaced(journal, position), *_rescued(journal), *_reported(cursor)],
    )


def _replaced(journal: Journal, position: Position) -> list[str]:
    try:
        journal.check(position)
    except JournalReplaced as replaced:
        return [f"{replaced} The next flush reads the file that is there from its start."]
    return []


def _rescued(journal: Journal) -> list[str]:
    return [
        f"{path.name} was deleted or moved away and put back. Find out who did that, then rename "
        "the file without '-rescued'."
        for path in journal.segments.rescued()
    ]


def _reported(cursor: JournalCursor | None) -> list[str]:
    """Losses that a flush met, until a person resolves the dead letter."""
    letters = DeadLetter.objects.filter(
        journal=cursor, kind=DeadLetter.Kind.JOURNAL, resolved_at=None
    )
    return [letter.reason for letter in letters[:10]]
