"""Database against journal: every row is what its hash covers and what its line says."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connections

from signals.dialect import tolerant_texts
from signals.hashing import Hashed, matches, sha256_of
from signals.journal import Line, LineLookup, Offset
from signals.models import JournalCursor, OutcomeChange
from signals.records import (
    COLUMN_TYPES,
    CONTEXT_COLUMNS,
    SIGNAL_COLUMNS,
    BadLine,
    Record,
    context_row,
    json_object,
    signal_row,
)
from signals.verification.findings import Finding, Kind
from signals.verification.seen import LinesSeen

PAGE = 2000
_WIDTH = len(SIGNAL_COLUMNS)
_SELECT = (
    f"SELECT s.id, {', '.join(f's.{name}' for name in SIGNAL_COLUMNS)}, "  # noqa: S608
    f"{', '.join(f'c.{name}' for name in CONTEXT_COLUMNS)} "
    "FROM signals s LEFT JOIN signal_contexts c ON c.id = s.id WHERE "
)
_SHA256 = SIGNAL_COLUMNS.index("sha256")
_HASHED = [SIGNAL_COLUMNS.index(name) for name in Hashed._fields]
_HASHED_TYPES = [(SIGNAL_COLUMNS.index(name), COLUMN_TYPES[name]) for name in Hashed._fields]
_JOURNAL, _SEGMENT, _BYTE = map(CONTEXT_COLUMNS.index, ("journal_id", "segment", "byte"))


class Row(NamedTuple):
    """A stored signal (`SIGNAL_COLUMNS`) with its context (`CONTEXT_COLUMNS`)."""

    id: int
    signal: tuple[Any, ...]
    context: tuple[Any, ...]

    @property
    def signal_id(self) -> str:
        return str(self.signal[0])


class RowCheck:
    """Checks rows of the database `using` against the journal that `cursor` follows."""

    def __init__(self, lookup: LineLookup, cursor: JournalCursor, *, using: str) -> None:
        self._lookup = lookup
        self._journal = cursor.pk
        self._using = using
        self.lines_seen = LinesSeen()

    def pages(self) -> Iterator[list[Row]]:
        """All rows, by id; each page is a short read that holds nobody up."""
        last = 0
        while rows := self._select("s.id > %s ORDER BY s.id LIMIT %s", last, PAGE):
            yield rows
            last = rows[-1].id

    def find(self, signal_id: str) -> list[Row]:
        return self._select("s.signal_id = %s", signal_id)

    def findings(self, rows: Sequence[Row]) -> list[Finding]:
        """What is wrong with `rows`, which stand in the order of their ids."""
        changes = self._last_changes(rows)
        suspects = [row for row in rows if self._faults(row, changes.get(row.id))]
        return [finding for row in suspects for finding in self._look_again(row)]

    def is_elsewhere(self, row: Row) -> bool:
        """Whether the row came through another machine's journal."""
        return row.context[_JOURNAL] not in (None, self._journal)

    def _look_again(self, suspect: Row) -> list[Finding]:
        """An outcome that was recorded while we looked is no finding."""
        return [
            finding
            for row in self.find(suspect.signal_id)
            for finding in self._faults(row, self._last_changes([row]).get(row.id))
        ]

    def _select(self, where: str, *parameters: str | int) -> list[Row]:
        with tolerant_texts(self._using), connections[self._using].cursor() as cursor:
            cursor.execute(_SELECT + where, parameters)
            return [
                Row(row[0], row[1 : _WIDTH + 1], row[_WIDTH + 1 :]) for row in cursor.fetchall()
            ]

    def _last_changes(self, rows: Sequence[Row]) -> dict[int, dict[str, Any]]:
        """What the last outcome change left, by row id."""
        changes = OutcomeChange.objects.using(self._using).filter(
            signal__gte=rows[0].id, signal__lte=rows[-1].id, journal=self._journal
        )
        return {change.signal_id: change.after for change in changes.order_by("id")}

    def _faults(self, row: Row, changed: dict[str, Any] | None) -> list[Finding]:
        faults = []
        if not _hash_holds(row):
            faults.append(Finding(Kind.ALTERED, row.signal_id, "does not match its own hash"))
        if not self.is_elsewhere(row):
            faults += self._line_faults(row, changed)
        return faults

    def _line_faults(self, row: Row, changed: dict[str, Any] | None) -> list[Finding]:
        record = self._own_record(row)
        if record is None:
            return [Finding(Kind.UNKNOWN, row.signal_id, "has no line in the journal")]
        signal = signal_row(record.fields | changed if changed else record.fields)
        context = context_row(row.id, self._journal, record)
        if row.signal == signal and row.context == context:
            return []
        names = _differing(SIGNAL_COLUMNS, row.signal, signal)
        names += _differing(CONTEXT_COLUMNS, row.context, context)
        if not names:
            return []
        detail = f"differs from its journal line in {', '.join(names)}"
        return [Finding(Kind.ALTERED, row.signal_id, detail)]

    def _own_record(self, row: Row) -> Record | None:
        if row.context[_JOURNAL] is None:
            return None
        offset = Offset(row.context[_SEGMENT], row.context[_BYTE])
        data = self._lookup.line(offset)
        if data is None:
            return None
        line = Line(offset, data)
        try:
            fields = json_object(line)
        except BadLine:
            return None
        if fields.get("signal_id") != row.signal_id or "change" in fields:
            return None
        self.lines_seen.add(offset)
        return Record(line, fields)


def _hash_holds(row: Row) -> bool:
    signal = row.signal
    if any(type(signal[index]) is not kind for index, kind in _HASHED_TYPES):
        return False
    hashed = Hashed(*[signal[index] for index in _HASHED])
    sha256 = signal[_SHA256]
    return sha256_of(hashed, row.signal_id) == sha256 or matches(hashed, row.signal_id, sha256)


def _differing(
    columns: Sequence[str], found: Sequence[object], expected: Sequence[object]
) -> list[str]:
    return [
        column
        for column, one, other in zip(columns, found, expected, strict=True)
        if not _same_value(one, other)
    ]


def _same_value(found: object, expected: object) -> bool:
    """PostgreSQL spells JSON its own way; what it says is what counts."""
    if found == expected:
        return True
    return isinstance(found, str) and isinstance(expected, str) and _same_json(found, expected)


def _same_json(found: str, expected: str) -> bool:
    try:
        return bool(orjson.loads(found) == orjson.loads(expected))
    except orjson.JSONDecodeError:
        return False
