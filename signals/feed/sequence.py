"""Gives each journal line the next index, behind the flush.

Any number of processes may do so at once. Each claims lines by moving the journal's own cursor in
the transaction that gives the indexes, and only one transaction at a time gives any: so whoever
sees an index sees all lower ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connections, transaction

from signals.dialect import for_update
from signals.feed.extra import take_extra
from signals.feed.lines import Shown, shown_by
from signals.garbage import collector_paused
from signals.inserting import insert_numbers
from signals.journal import Chunk, Journal, JournalPosition, JournalReplaced
from signals.models import JournalCursor, SequenceCursor
from signals.rows import select_one, update

HEAD = 1
"""The primary key of the only head."""
ENTRY = ("id", "signal", "change", "byte")
RUN = ("id", "count", "journal_id", "segment", "byte", "last")


@dataclass(frozen=True)
class Sequencer:
    """Gives the lines of one journal their indexes; one transaction takes at most `max_lines`.

    `guard` is called before the first batch, and raises an error if this process may not do so.
    """

    journal: Journal
    using: str = "default"
    max_lines: int = 5000
    guard: Callable[[], None] = lambda: None

    def assign(self) -> int:
        """Give an index to every line that the flush has processed; return how many got one."""
        return sum(self.batches())

    def batches(self) -> Iterator[int]:
        """Do the same; yield how many indexes each batch gave."""
        self.guard()
        while (count := self._batch()) is not None:
            yield count

    @collector_paused()
    def _batch(self) -> int | None:
        """Give indexes to the next lines; return None if there are none."""
        flushed = JournalCursor.objects.using(self.using).of(self.journal.identity)
        cursor = cursor_of(flushed, self.using)
        try:
            chunk = self._next(position_of(cursor), position_of(flushed))
        except JournalReplaced:
            return self._start_over(cursor)
        if chunk is None:
            return self._assign_extra()
        shown = shown_by(chunk.lines, self.using)
        with transaction.atomic(using=self.using):
            if not _claim(cursor, chunk.end, self.using):
                return 0
            return _assign(chunk, shown, flushed.pk, self.using)

    def _next(self, position: JournalPosition, flushed: JournalPosition) -> Chunk | None:
        """Return lines that the flush has processed. Raises JournalReplaced if it began anew.

        If the file was replaced and the flush does not know yet, there are none.
        """
        if position == flushed:
            return None
        try:
            chunk = self.journal.read(position, max_lines=self.max_lines)
        except JournalReplaced:
            if self._is_there(flushed):
                raise
            return None
        return _upto(chunk, flushed) if chunk and self._is_there(flushed) else None

    def _is_there(self, position: JournalPosition) -> bool:
        try:
            self.journal.check(position)
        except JournalReplaced:
            return False
        return True

    def _start_over(self, cursor: SequenceCursor) -> int:
        """Continue where the flush did: lines that have an index get another, their rows do not."""
        restart = self.journal.restart(position_of(cursor))
        _claim(cursor, restart, self.using)
        return 0

    def _assign_extra(self) -> int | None:
        with connections[self.using].cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM sequence_late)")
            if not cursor.fetchone()[0]:
                return None
        with transaction.atomic(using=self.using):
            return _assign(None, [], 0, self.using)


def cursor_of(journal: JournalCursor, using: str) -> SequenceCursor:
    """Return how far a journal's lines have an index."""
    statement = "SELECT * FROM sequence_cursors WHERE journal_id = %s"
    found = select_one(SequenceCursor, statement, [journal.pk], using=using)
    if found is not None:
        return found
    return SequenceCursor.objects.using(using).get_or_create(journal=journal)[0]


def position_of(cursor: JournalCursor | SequenceCursor) -> JournalPosition:
    """Return the place of a cursor."""
    return JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)


def _upto(chunk: Chunk, end: JournalPosition) -> Chunk | None:
    """Return the part of a chunk before `end`, where another line begins."""
    if chunk.end[:2] <= end[:2]:
        return chunk
    lines = [line for line in chunk.lines if line.offset < end[:2]]
    return Chunk(lines, end) if lines else None


def _claim(cursor: SequenceCursor, end: JournalPosition, using: str) -> bool:
    """Move the cursor from where we read it; return False if another process moved it first."""
    seen = position_of(cursor)._asdict()
    return update(SequenceCursor, cursor.pk, end._asdict(), only_if=seen, using=using)


def _assign(chunk: Chunk | None, shown: Sequence[Shown | None], journal: int, using: str) -> int:
    """Give the next indexes to rows without a line of their own, and then to the lines."""
    first = _locked_head(using)
    extra = take_extra(shown, using)
    rows: list[tuple[int | None, ...]] = [
        (index, each.signal, each.change, None) for index, each in enumerate(extra, first)
    ]
    begin = first + len(extra)
    if chunk is not None:
        lines = zip(chunk.lines, shown, strict=True)
        rows += [
            (index, row.signal, row.change, line.offset.byte)
            for index, (line, row) in enumerate(lines, begin)
            if row is not None
        ]
        insert_numbers(using, "sequence_runs", RUN, [_run(begin, chunk, journal)])
    if rows:
        insert_numbers(using, "sequence_entries", ENTRY, rows)
    end = begin + len(shown)
    _move_head(end, using)
    return end - first


def _run(first: int, chunk: Chunk, journal: int) -> tuple[int, ...]:
    (segment, byte), (_, last) = chunk.lines[0].offset, chunk.lines[-1].offset
    return first, len(chunk.lines), journal, segment, byte, last


def _locked_head(using: str) -> int:
    """Return the next free index; nobody else gets it until this transaction ends."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "INSERT INTO sequence_heads (id, next) VALUES (%s, 1) ON CONFLICT (id) DO NOTHING",
            [HEAD],
        )
        cursor.execute(
            f"SELECT next FROM sequence_heads WHERE id = %s{for_update(using)}",  # noqa: S608
            [HEAD],
        )
        return int(cursor.fetchone()[0])


def _move_head(to: int, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("UPDATE sequence_heads SET next = %s WHERE id = %s", [to, HEAD])
