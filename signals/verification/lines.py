"""Journal against database: every flushed line is a row, an outcome change or a dead letter."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson
from django.db.models import Max

from signals.journal import Chunk, Line, Offset
from signals.ledger.changes import Change, decode_change, stored_change
from signals.ledger.inserts import stored_hashes
from signals.ledger.records import NAMED_BY_ALERT, BadLine, Record, decode, json_object
from signals.models import DeadLetter, JournalCursor, OutcomeChange
from signals.verification.findings import Finding, Kind
from signals.verification.numbers import Numbers, place
from signals.verification.rows import Row, RowCheck


class _Journaled(NamedTuple):
    """An outcome change in the journal; `due` if it must be in the database by now."""

    signal_id: str
    digest: bytes
    due: bool


class LineCheck:
    """Checks lines of the journal that `cursor` follows against the database `using`.

    Lines that were `seen` as the line of a row are not checked again. The others may belong to the
    `unmatched` rows: rows whose line is not at the place that they name, because the journal was
    put back in other segments, or the database came from another machine.
    """

    def __init__(
        self,
        cursor: JournalCursor,
        rows: RowCheck,
        seen: Numbers,
        unmatched: Numbers,
        *,
        using: str,
    ) -> None:
        self._rows = rows
        self._seen = seen
        self._unmatched = unmatched
        self._matched = Numbers()
        self._differing: dict[int, list[Finding]] = {}
        self._using = using
        self._cursor = cursor
        self._flushed = Offset(cursor.segment, cursor.byte)
        letters = DeadLetter.objects.using(using).filter(journal=cursor)
        payloads = letters.values_list("payload", flat=True)
        self._dead = {bytes(kept) for kept in payloads if not isinstance(kept, str)}
        self._last_change = OutcomeChange.objects.using(using).aggregate(last=Max("id"))["last"]
        self._changes: dict[str, _Journaled] = {}

    def pending(self, chunk: Chunk) -> int:
        """Return how many of the lines are not flushed yet."""
        return sum(line.offset >= self._flushed for line in chunk.lines)

    def findings(self, chunk: Chunk) -> list[Finding]:
        """Return the findings about the lines of `chunk`."""
        found: list[Finding] = []
        records: list[Record] = []
        for line in self._unseen(chunk.lines):
            if line.data and line.data not in self._dead:
                found += self._read(line, records)
        self._match_elsewhere(records)
        return found + self._missing(records)

    def _unseen(self, lines: Sequence[Line]) -> list[Line]:
        seen = self._seen.has([place(line.offset) for line in lines])
        return [line for line, known in zip(lines, seen, strict=True) if not known]

    def unmatched_findings(self) -> Iterator[Finding]:
        """Yield the findings about unmatched rows; call it after all lines were checked.

        Rows from the journals of other machines need no line here.
        """
        for row_id in self._unmatched.without(self._matched):
            if row_id in self._differing:
                yield from self._differing[row_id]
            else:
                yield from self._rows.unknown(row_id)

    def change_findings(self) -> list[Finding]:
        """Return the findings about outcome changes; call it after all lines were checked."""
        rows = OutcomeChange.objects.using(self._using).filter(
            journal=self._cursor, id__lte=self._last_change or 0
        )
        changes = map(stored_change, rows.select_related("signal").iterator())
        found = [finding for change in changes for finding in self._compared(change)]
        return found + [
            Finding(Kind.MISSING, journaled.signal_id, f"lacks its outcome change {change_id}")
            for change_id, journaled in self._changes.items()
            if journaled.due
        ]

    def _compared(self, change: Change) -> list[Finding]:
        journaled = self._changes.pop(change.change_id, None)
        if journaled is None:
            detail = "has an outcome change that the journal lacks"
            return [Finding(Kind.UNKNOWN, change.signal_id, detail)]
        if journaled.digest != _digest(change):
            detail = "has an outcome change that differs from its journal line"
            return [Finding(Kind.ALTERED, change.signal_id, detail)]
        return []

    def _read(self, line: Line, records: list[Record]) -> list[Finding]:
        """Parse a line, and keep its signal or outcome change for later; return findings."""
        try:
            fields = json_object(line)
            if "change" in fields:
                change = decode_change(fields, line).change
                due = self._is_due(line)
                self._changes[change.change_id] = _Journaled(change.signal_id, _digest(change), due)
            else:
                records.append(decode(fields, line))
        except (BadLine, KeyError, TypeError):
            if self._is_due(line):
                segment, byte = line.offset
                return [
                    Finding(Kind.ALTERED, "", f"the journal line at {segment}:{byte} is broken")
                ]
        return []

    def _is_due(self, line: Line) -> bool:
        """Return True if the line must be in the database by now."""
        return line.offset < self._flushed

    def _missing(self, records: list[Record]) -> list[Finding]:
        due = {record.signal_id: record for record in records if self._is_due(record.line)}
        stored = stored_hashes(self._using, list(due))
        return [
            Finding(Kind.MISSING, signal_id, "is in the journal but not in the database")
            for signal_id, record in due.items()
            if not _is_stored(record, stored.get(signal_id))
        ]

    def _match_elsewhere(self, records: list[Record]) -> None:
        """Compare unmatched rows with the lines of their signals, wherever these are."""
        if not self._unmatched or not records:
            return
        rows = self._rows.find([record.signal_id for record in records])
        unmatched = self._unmatched.has([row.id for row in rows])
        by_id = {
            row.signal_id: row for row, is_open in zip(rows, unmatched, strict=True) if is_open
        }
        for record in records:
            if row := by_id.get(record.signal_id):
                self._compare(row, record)

    def _compare(self, row: Row, record: Record) -> None:
        """Compare a row with one of its signal's lines: one that fits is enough."""
        if self._rows.is_of_another_receipt(row, record):
            if row.sha256 == record.sha256:
                self._matched.update([row.id])
            return  # else the line is a dead letter, waits, or is reported as missing
        is_pending = row.journal is None and not self._is_due(record.line)
        faults = [] if is_pending else self._rows.compared(row, record)
        if faults:
            self._differing[row.id] = faults
        else:
            self._matched.update([row.id])


def _is_stored(record: Record, sha256: str | None) -> bool:
    """Return True if the hash is of this record, or of an earlier line of the same alert."""
    is_alert = record.fields["origin"] == NAMED_BY_ALERT
    return sha256 is not None if is_alert else sha256 == record.sha256


def _digest(change: Change) -> bytes:
    """Return a hash of the change: small enough to keep millions of them."""
    text = orjson.dumps(change._asdict(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()
