"""Journal against database: every flushed line is a row, an outcome change or a dead letter."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson
from django.db.models import Max

from signals.journal import Chunk, Line, Offset
from signals.ledger.changes import Change, decode_change, stored_change
from signals.ledger.inserts import stored_hashes
from signals.ledger.records import BadLine, Record, decode, json_object
from signals.models import DeadLetter, JournalCursor, OutcomeChange
from signals.verification.findings import Finding, Kind
from signals.verification.numbers import Numbers, place
from signals.verification.rows import Row, RowCheck


class _Journaled(NamedTuple):
    """An outcome change in the journal; `due` where it must be in the database by now."""

    signal_id: str
    digest: bytes
    due: bool


class LineCheck:
    """Checks lines of the journal that `cursor` follows against the database `using`.

    Lines that were `seen` as the line of a row need no second look. The others may belong to the
    `homeless` rows, whose line is no longer where they came from: a journal that was put back in
    other segments, or a database that came from another machine.
    """

    def __init__(
        self, cursor: JournalCursor, rows: RowCheck, seen: Numbers, homeless: Numbers, *, using: str
    ) -> None:
        self._rows = rows
        self._seen = seen
        self._homeless = homeless
        self._at_home = Numbers()
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
        """How many of the lines are not flushed yet."""
        return sum(line.offset >= self._flushed for line in chunk.lines)

    def findings(self, chunk: Chunk) -> list[Finding]:
        """What is wrong with the lines of `chunk`."""
        found: list[Finding] = []
        records: list[Record] = []
        for line in self._unseen(chunk.lines):
            if line.data and line.data not in self._dead:
                found += self._read(line, records)
        self._bring_home(records)
        return found + self._missing(records)

    def _unseen(self, lines: Sequence[Line]) -> list[Line]:
        seen = self._seen.has([place(line.offset) for line in lines])
        return [line for line, known in zip(lines, seen, strict=True) if not known]

    def homeless_findings(self) -> Iterator[Finding]:
        """What is wrong with the rows whose line was not where they came from, once all lines
        were seen. Rows of other machines' journals are not expected to have one."""
        for row_id in self._homeless.without(self._at_home):
            if row_id in self._differing:
                yield from self._differing[row_id]
            else:
                yield from self._rows.unknown(row_id)

    def change_findings(self) -> list[Finding]:
        """What is wrong with the outcome changes, once all lines were seen."""
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
        """Note what the line says: a signal, or an outcome change."""
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
        """Whether the line must be in the database by now."""
        return line.offset < self._flushed

    def _missing(self, records: list[Record]) -> list[Finding]:
        due = {record.signal_id: record.sha256 for record in records if self._is_due(record.line)}
        stored = stored_hashes(self._using, list(due))
        return [
            Finding(Kind.MISSING, signal_id, "is in the journal but not in the database")
            for signal_id, sha256 in due.items()
            if stored.get(signal_id) != sha256
        ]

    def _bring_home(self, records: list[Record]) -> None:
        """Compare homeless rows with the lines that are theirs all the same."""
        if not self._homeless or not records:
            return
        rows = self._rows.find([record.signal_id for record in records])
        lost = self._homeless.has([row.id for row in rows])
        by_id = {row.signal_id: row for row, is_lost in zip(rows, lost, strict=True) if is_lost}
        for record in records:
            if row := by_id.get(record.signal_id):
                self._compare(row, record)

    def _compare(self, row: Row, record: Record) -> None:
        """A signal may have been logged twice: one line that fits is enough."""
        is_pending = row.journal is None and not self._is_due(record.line)
        faults = [] if is_pending else self._rows.compared(row, record)
        if faults:
            self._differing[row.id] = faults
        else:
            self._at_home.update([row.id])


def _digest(change: Change) -> bytes:
    """Stands for the whole change, so that millions of them can be kept."""
    text = orjson.dumps(change._asdict(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()
