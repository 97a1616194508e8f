"""Journal against database: every flushed line is a row, an outcome change or a dead letter."""

import hashlib
from typing import NamedTuple

import orjson

from signals.changes import Change, decode_change, stored_change
from signals.dialect import stored_hashes
from signals.journal import Chunk, Line, Offset
from signals.models import DeadLetter, JournalCursor, OutcomeChange
from signals.records import BadLine, decode, json_object
from signals.verification.findings import Finding, Kind
from signals.verification.seen import LinesSeen


class _Journaled(NamedTuple):
    """An outcome change in the journal; `due` where it must be in the database by now."""

    signal_id: str
    digest: bytes
    due: bool


class LineCheck:
    """Checks lines of the journal that `cursor` follows against the database `using`.

    Those that were `seen` as the line of a row need no second look.
    """

    def __init__(self, cursor: JournalCursor, seen: LinesSeen, *, using: str) -> None:
        self._seen = seen
        self._using = using
        self._cursor = cursor
        self._flushed = Offset(cursor.segment, cursor.byte)
        letters = DeadLetter.objects.using(using).filter(journal=cursor)
        places = letters.values_list("segment", "byte", "payload")
        self._dead = {(segment, byte): bytes(payload) for segment, byte, payload in places}
        self._changes: dict[str, _Journaled] = {}

    def pending(self, chunk: Chunk) -> int:
        """How many of the lines are not flushed yet."""
        return sum(line.offset >= self._flushed for line in chunk.lines)

    def findings(self, chunk: Chunk) -> list[Finding]:
        """What is wrong with the flushed lines of `chunk`."""
        found: list[Finding] = []
        hashes: dict[str, str] = {}
        for line in self._seen.others(chunk.lines):
            if line.data and self._dead.get(line.offset) != line.data:
                found += self._read(line, hashes)
        return found + self._missing(hashes)

    def change_findings(self) -> list[Finding]:
        """What is wrong with the outcome changes, once all lines were seen."""
        rows = OutcomeChange.objects.using(self._using).filter(journal=self._cursor)
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

    def _read(self, line: Line, hashes: dict[str, str]) -> list[Finding]:
        """Note what the line says must be stored."""
        due = line.offset < self._flushed
        try:
            fields = json_object(line)
            if "change" in fields:
                change = decode_change(fields, line).change
                self._changes[change.change_id] = _Journaled(change.signal_id, _digest(change), due)
            elif due:
                decode(fields, line)
                hashes[fields["signal_id"]] = fields["sha256"]
        except (BadLine, KeyError, TypeError):
            segment, byte = line.offset
            return [Finding(Kind.ALTERED, "", f"the journal line at {segment}:{byte} is broken")]
        return []

    def _missing(self, hashes: dict[str, str]) -> list[Finding]:
        stored = stored_hashes(self._using, list(hashes))
        return [
            Finding(Kind.MISSING, signal_id, "is in the journal but not in the database")
            for signal_id, sha256 in hashes.items()
            if stored.get(signal_id) != sha256
        ]


def _digest(change: Change) -> bytes:
    """Stands for the whole change, so that millions of them can be kept."""
    text = orjson.dumps(change._asdict(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()
