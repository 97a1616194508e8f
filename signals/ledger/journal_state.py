"""Reports what waits in the journal, and if it is no longer the file that the database has read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from signals.journal import Chunk, Journal, JournalPosition, JournalReplaced
from signals.ledger.records import BadLine, json_object
from signals.models import DeadLetter, JournalCursor, SignalContext
from signals.problems import Problem, ProblemKind
from signals.timestamps import parse_utc

REPLACED = ProblemKind(
    "journal.replaced",
    "Put the right file back if you can. The next flush reads the file that exists now from its "
    "start, which is safe.",
    is_of_node=True,
)
RESCUED = ProblemKind(
    "journal.rescued",
    "Find out who deleted or moved it, then rename the file without '-rescued'.",
    "recover.md#the-journal-was-deleted-while-argo-ran",
    is_of_node=True,
)
LOST = ProblemKind(
    "journal.lost",
    "Find out why, restore the lines from a backup if you can, and resolve the dead letter.",
    "recover.md#a-signal-could-not-be-stored",
    is_of_node=True,
)
KINDS = (REPLACED, RESCUED, LOST)
OTHER_CLOCK = "replay"
"""The origin whose lines carry the time of the bars, not of the wall clock."""


class JournalState(NamedTuple):
    """What a journal has that the database has not, and what is wrong with its files.

    `pending_bytes` are not in the database yet. `oldest` is when the first of them was received;
    None if nothing waits, or if the line cannot be read or comes from a replay.
    """

    pending_bytes: int
    oldest: datetime | None
    problems: list[Problem]


def journal_state(journal: Journal) -> JournalState:
    """Compare the journal's files with the database's cursor."""
    cursor = JournalCursor.objects.filter(journal=journal.identity).first()
    position = JournalPosition(1, 0, "")
    if cursor is not None:
        position = JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    pending = journal.pending_bytes(position)
    problems = [*_rescued(journal), *_reported(cursor)]
    try:
        oldest = oldest_in(journal.read(position, max_lines=1))
    except JournalReplaced as replaced:
        return JournalState(pending, None, [REPLACED.found(str(replaced)), *problems])
    return JournalState(pending, oldest, problems)


class Undrained(NamedTuple):
    """How many lines of a journal are not in the database, and when the first was received.

    `oldest` is None if no line waits, or if the line cannot be read or comes from a replay.
    """

    lines: int
    oldest: datetime | None


def undrained(journal: Journal, using: str = "default") -> Undrained:
    """Return what the next flush would read. If the file was replaced, that is the new one."""
    cursor = JournalCursor.objects.using(using).filter(journal=journal.identity).first()
    position = JournalPosition(1, 0, "")
    if cursor is not None:
        position = JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    try:
        first = journal.read(position, max_lines=1)
    except JournalReplaced:
        position = journal.restart(position)
        first = journal.read(position, max_lines=1)
    return Undrained(journal.pending_lines(position), oldest_in(first, using))


def oldest_in(chunk: Chunk | None, using: str = "default") -> datetime | None:
    """Return when the chunk's first line was received, by the wall clock."""
    if chunk is None:
        return None
    try:
        fields = json_object(chunk.lines[0])
        return None if _is_of_other_clock(fields, using) else parse_utc(fields["received_at"])
    except (BadLine, KeyError, ValueError):  # it becomes a dead letter with the next flush
        return None


def _is_of_other_clock(fields: dict[str, Any], using: str) -> bool:
    """Return whether a replay wrote the line: a signal, or a change of one.

    The line of a change does not say so, but its signal does, which was stored before it.
    """
    if fields.get("origin") == OTHER_CLOCK:
        return True
    replayed = SignalContext.objects.using(using).filter(origin=OTHER_CLOCK)
    return "change" in fields and replayed.filter(signal__signal_id=fields["signal_id"]).exists()


def _rescued(journal: Journal) -> Iterator[Problem]:
    for path in journal.segments.rescued():
        yield RESCUED.found(f"{path.name} was deleted or moved away, and was put back.", path.name)


def _reported(cursor: JournalCursor | None) -> Iterator[Problem]:
    """Yield losses that a flush found, until a person resolves their dead letters."""
    letters = DeadLetter.objects.filter(
        journal=cursor, kind=DeadLetter.Kind.JOURNAL, resolved_at=None
    )
    for letter in letters[:10]:
        yield LOST.found(letter.reason, str(letter.pk))
