"""Reads the lines of a journal that have an index in the sequence, whole runs of them at a time."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connections

from signals.journal import Journal, JournalPosition, JournalReplaced, Line
from signals.models import JournalCursor, RecordCursor

logger = logging.getLogger(__name__)

_RUNS = (
    "SELECT id, count, segment, byte FROM sequence_runs WHERE journal_id = %s AND id > %s "
    "ORDER BY id LIMIT %s"
)
MOST_RUNS = 1000


class Run(NamedTuple):
    """Consecutive lines of a journal: the index of the first, and where it begins."""

    first: int
    count: int  # type: ignore[assignment]  # it hides a tuple's method
    segment: int
    byte: int


class Reading(NamedTuple):
    """Lines with their indexes in the sequence, and where the journal goes on.

    `is_again` says that the journal's file was replaced: lines may have been read before.
    """

    lines: list[Line]
    indexes: list[int]
    sequence: int
    end: JournalPosition
    is_again: bool


def read(
    journal: Journal, flushed: JournalCursor, cursor: RecordCursor, most: int, using: str
) -> Reading | None:
    """Return the next lines, about `most` of them; None if there are none.

    If the journal's file was replaced, its lost lines are passed over once the flush knows of it.
    """
    position = JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    found = Reading([], [], cursor.sequence, position, is_again=False)
    for run in _runs(flushed.pk, cursor.sequence, using):
        if len(found.lines) >= most:
            break
        try:
            found = _with(found, run, _lines_of(run, found.end, journal))
        except JournalReplaced as error:
            if not _is_there(journal, flushed):
                break
            logger.error("Lines of the journal are lost, and have no entry: %s", error)
            found = _without(found, run)
    return found if found.sequence != cursor.sequence else None


def _runs(journal: int, after: int, using: str) -> Iterator[Run]:
    with connections[using].cursor() as cursor:
        cursor.execute(_RUNS, [journal, after, MOST_RUNS])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    yield from map(Run._make, rows)


def _lines_of(
    run: Run, position: JournalPosition, journal: Journal
) -> tuple[list[Line], JournalPosition]:
    """Return the run's lines and where the next one begins. Raises JournalReplaced."""
    if run.byte == 0:
        position = JournalPosition(run.segment, 0, "")
    lines: list[Line] = []
    while len(lines) < run.count:
        chunk = journal.read(position, max_lines=run.count - len(lines))
        if chunk is None or (not lines and chunk.lines[0].offset != (run.segment, run.byte)):
            raise JournalReplaced(
                f"{run.count} lines from byte {run.byte} of segment {run.segment} are not there."
            )
        lines += chunk.lines
        position = chunk.end
    return lines, position


def _with(found: Reading, run: Run, read: tuple[list[Line], JournalPosition]) -> Reading:
    lines, end = read
    goes_back = run.byte == 0 and run.segment <= found.end.segment and found.end.byte > 0
    return Reading(
        found.lines + lines,
        found.indexes + list(range(run.first, run.first + run.count)),
        run.first + run.count - 1,
        end,
        found.is_again or goes_back,
    )


def _without(found: Reading, run: Run) -> Reading:
    position = JournalPosition(run.segment, 0, "")
    return found._replace(sequence=run.first + run.count - 1, end=position, is_again=True)


def _is_there(journal: Journal, flushed: JournalCursor) -> bool:
    """Return whether the file is the one that the flush has read."""
    try:
        journal.check(JournalPosition(flushed.segment, flushed.byte, flushed.fingerprint))
    except JournalReplaced:
        return False
    return True
