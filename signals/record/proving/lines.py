"""Finds the lines of one journal by their entries in the record, with their salts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.db import connections

from argo.errors import Conflict, NotFound
from signals.journal import Journal, Offset
from signals.journal.lookup import LineLookup
from signals.models import JournalCursor, SequenceEntry, SequenceRun, SignalContext
from signals.record.formats.entries import digest_of, salt_of
from signals.record.log.runs import entry_of_line
from signals.record.log.salt import salt_key, salt_path
from signals.record.log.tables import digests_between
from signals.record.verifier.history import Revealed

_RUN_OF_PLACE = (
    "SELECT id, count, segment, byte FROM sequence_runs "
    "WHERE journal_id = %s AND segment = %s AND last >= %s ORDER BY last LIMIT 1"
)
_BETWEEN = (
    "SELECT record.id, record.sequence, lines.id, lines.count, lines.segment, lines.byte, "
    "record.count FROM record_runs record JOIN sequence_runs lines "
    "ON lines.id < record.sequence + record.count AND lines.id + lines.count > record.sequence "
    "WHERE lines.journal_id = %s AND record.id <= %s AND record.id + record.count > %s "
    "ORDER BY record.id, lines.id"
)


class _Run(NamedTuple):
    """Lines of one segment: the index of the first in the sequence, and where it begins."""

    first: int
    count: int  # type: ignore[assignment]  # it hides a tuple's method
    segment: int
    byte: int

    def has(self, index: int) -> bool:
        """Return whether the line of this index is one of them."""
        return self.first <= index < self.first + self.count


@dataclass(frozen=True)
class OwnLines:
    """The lines of one journal, which is on this machine."""

    journal: Journal
    using: str = "default"

    def of_signal(self, signal: int) -> Revealed:
        """Return the line of a signal's row, with its entry. It must be in this journal.

        Raises Conflict if it is not entered yet.
        """
        place = SignalContext.objects.using(self.using).get(pk=signal)
        run = self._run_of(place.segment, place.byte)
        row = SequenceEntry.objects.using(self.using).filter(signal=signal).first()
        if row is not None and row.byte == place.byte and run.has(row.pk):
            return self._at(row.pk, Offset(place.segment, place.byte))
        for number, (byte, _) in enumerate(self._lines_of(run)):
            if byte == place.byte:
                return self._at(run.first + number, Offset(place.segment, byte))
        raise self._not_entered()

    def of_change(self, change: int) -> Revealed:
        """Return the line of an outcome change's row, with its entry. It must be in this journal.

        Raises Conflict if it is not entered yet.
        """
        row = SequenceEntry.objects.using(self.using).filter(change=change).first()
        if row is None:
            raise self._not_entered()
        if row.byte is None:
            raise Conflict(
                "A change of the signal's outcome was stored later than its line was read. Prove "
                "the period instead: prove_record shows the lines of both."
            )
        run = SequenceRun.objects.using(self.using).filter(pk__lte=row.pk).latest("pk")
        return self._at(row.pk, Offset(run.segment, row.byte))

    def _at(self, sequence: int, offset: Offset) -> Revealed:
        """Return the line at a place of the journal, which has this index in the sequence."""
        index = entry_of_line(sequence, self.using)
        if index is None:
            raise self._not_entered()
        ((_, line),) = self._lines_of(_Run(sequence, 1, *offset))
        digest = dict(digests_between(index, index + 1, self.using)).get(index)
        return self._revealed(index, *offset, line, digest)

    def between(self, first: int, last: int) -> Iterator[Revealed]:
        """Yield the lines of this journal that have entries from `first` to `last`."""
        with connections[self.using].cursor() as cursor:
            cursor.execute(_BETWEEN, [self.key, last, first])
            rows = cursor.fetchall()
        for entry, sequence, *run, count in rows:
            begin, end = max(entry, first), min(entry + count, last + 1)
            yield from self._of_run(_Run(*run), entry - sequence, begin, end)

    def _of_run(self, run: _Run, shift: int, begin: int, end: int) -> Iterator[Revealed]:
        """Yield the lines of a run with entries from `begin` to `end`, `end` not included.

        `shift` is what an entry's index is above its line's index in the sequence.
        """
        digests = dict(digests_between(begin, end, self.using))
        for index, (byte, line) in enumerate(self._lines_of(run), run.first + shift):
            if begin <= index < end:
                yield self._revealed(index, run.segment, byte, line, digests.get(index))

    @property
    def key(self) -> int | None:
        """Return the primary key of the journal; None if the database has none of its lines."""
        rows = JournalCursor.objects.using(self.using).filter(journal=self.journal.identity)
        return rows.values_list("pk", flat=True).first()

    def _run_of(self, segment: int, byte: int) -> _Run:
        with connections[self.using].cursor() as cursor:
            cursor.execute(_RUN_OF_PLACE, [self.key, segment, byte])
            row = cursor.fetchone()
        if row is None or row[3] > byte:
            raise self._not_entered()
        return _Run(*row)

    def _lines_of(self, run: _Run) -> Iterator[tuple[int, bytes]]:
        """Yield where each line of a run begins, and the line."""
        lookup, byte = LineLookup(self.journal.segments), run.byte
        try:
            for _ in range(run.count):
                line = lookup.line(Offset(run.segment, byte))
                if line is None:
                    raise NotFound(
                        f"{self.journal.path} has no line at byte {byte} of segment {run.segment}."
                    )
                yield byte, line
                byte += len(line) + 1
        finally:
            lookup.close()

    def _revealed(
        self, index: int, segment: int, byte: int, line: bytes, digest: bytes | None
    ) -> Revealed:
        """Return a line with its salt. Raises Conflict if its entry has another digest."""
        salt = salt_of(self._salt_key, self.journal.identity, segment, byte, line)
        if digest is None or digest.hex() != digest_of(salt, line):
            raise Conflict(
                f"Entry {index} is not that of the line at byte {byte} of segment {segment} of "
                f"{self.journal.path}: the journal, its salt key or the record was changed."
            )
        return Revealed(index, salt, line)

    @cached_property
    def _salt_key(self) -> bytes:
        if not salt_path(self.journal).exists():
            raise NotFound(
                f"{salt_path(self.journal)} is missing: without it no line of this journal can be "
                "proved. Put it back from a backup."
            )
        return salt_key(self.journal)

    def _not_entered(self) -> Conflict:
        return Conflict("The line is not in the record yet: try again in a moment.")
