"""Database against journal: every row matches its hash and its journal line."""

from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from django.db import connections
from django.db.models import Q

from signals.dialect import among, is_shared, tolerant_texts
from signals.journal import Line, LineLookup, Offset
from signals.ledger.hashing import Covered, Hashed, matches
from signals.ledger.records import (
    COLUMN_TYPES,
    CONTEXT_COLUMNS,
    SIGNAL_COLUMNS,
    BadLine,
    Record,
    context_row,
    json_object,
    signal_row,
)
from signals.models import JournalCursor, Node, OutcomeChange
from signals.verification.findings import HASH_DIFFERS, Finding, Kind
from signals.verification.numbers import place

Values = tuple[Any, ...]

_SELECT = (
    f"SELECT s.id, {', '.join(f's.{name}' for name in SIGNAL_COLUMNS)}, "  # noqa: S608
    f"{', '.join(f'c.{name}' for name in CONTEXT_COLUMNS)} "
    "FROM signals s LEFT JOIN signal_contexts c ON c.id = s.id WHERE "
)
JSON_COLUMNS = frozenset({"votes", "extra"})
_WIDTH = len(SIGNAL_COLUMNS)
_SHA256 = SIGNAL_COLUMNS.index("sha256")
_PLACE = slice(CONTEXT_COLUMNS.index("segment"), CONTEXT_COLUMNS.index("byte") + 1)
_RECEIVED_AT = CONTEXT_COLUMNS.index("received_at")
_JOURNAL = CONTEXT_COLUMNS.index("journal_id")
_covered: Callable[[Values], Covered] = itemgetter(*map(SIGNAL_COLUMNS.index, Hashed._fields))
_COVERED_TYPES = tuple(COLUMN_TYPES[name] for name in Hashed._fields)
Changes = dict[int, dict[str, Any]]


class Row(NamedTuple):
    """A stored signal (`SIGNAL_COLUMNS`) with its context (`CONTEXT_COLUMNS`)."""

    id: int
    signal: Values
    context: Values

    @property
    def signal_id(self) -> str:
        return str(self.signal[0])

    @property
    def sha256(self) -> str:
        return str(self.signal[_SHA256])

    @property
    def received_at(self) -> str:
        return str(self.context[_RECEIVED_AT])

    @property
    def journal(self) -> int | None:
        """The cursor of the journal that it came from; None if it has no context."""
        journal: int | None = self.context[_JOURNAL]
        return journal

    @property
    def place(self) -> Offset:
        """The place of its line in that journal."""
        return Offset(*self.context[_PLACE])


class Checked(NamedTuple):
    """The result for some rows.

    `elsewhere` counts rows from the journals of other machines. `lines` has the places of the
    lines that belong to the rows; `unmatched` the ids of rows whose line is not at its place.
    """

    rows: int
    elsewhere: int
    findings: list[Finding]
    lines: "array[int]"
    unmatched: "array[int]"


class RowCheck:
    """Checks rows of the database `using` against the journal that `cursor` follows."""

    def __init__(self, lookup: LineLookup, cursor: JournalCursor, *, using: str) -> None:
        self._lookup = lookup
        self._journal = cursor.pk
        self._using = using

    def check(self, first: int, last: int) -> Checked:
        """Check the rows with these ids, in one short read that blocks nobody."""
        return self._checked(self._select("s.id BETWEEN %s AND %s ORDER BY s.id", first, last))

    def check_one(self, signal_id: str) -> Checked:
        return self._checked(self.find([signal_id]))

    def find(self, signal_ids: Sequence[str]) -> list[Row]:
        """Return the rows of these signals."""
        condition, parameter = among(self._using, "s.signal_id", signal_ids)
        return self._select(f"{condition} ORDER BY s.id", parameter)

    def compared(self, row: Row, record: Record) -> list[Finding]:
        """Return how the row differs from this line of its signal, wherever the line is."""
        moved = Record(Line(row.place, record.line.data), record.fields)
        return _differences(row, moved, self._last_changes([row]).get(row.id))

    def is_of_another_receipt(self, row: Row, record: Record) -> bool:
        """Return whether another machine stored the row, and this machine received the same signal
        at another time.

        Then the hash is what both lines share: regime, votes and the like are each receipt's own.
        """
        is_elsewhere = row.journal not in (None, self._journal)
        return is_elsewhere and row.received_at != record.fields.get("received_at")

    def unknown(self, row_id: int) -> list[Finding]:
        """Report that the row has no line, unless it came from another machine's journal."""
        return [
            Finding(Kind.UNKNOWN, row.signal_id, "has no line in the journal")
            for row in self._select("s.id = %s", row_id)
            if row.journal in (None, self._journal)
        ]

    def _checked(self, rows: Sequence[Row]) -> Checked:
        """Check `rows`, which must be in the order of their ids."""
        elsewhere = sum(row.journal not in (None, self._journal) for row in rows)
        checked = Checked(len(rows), elsewhere, [], array("q"), array("q"))
        changes = self._last_changes(rows) if rows else {}
        for row in rows:
            if self._faults(row, changes, checked):
                checked.findings.extend(self._look_again(row))
        return checked

    def _look_again(self, suspect: Row) -> list[Finding]:
        """Check a row again: an outcome that was recorded during the check is not a finding."""
        rows = self._select("s.id = %s", suspect.id)
        unused = Checked(0, 0, [], array("q"), array("q"))
        return [f for row in rows for f in self._faults(row, self._last_changes([row]), unused)]

    def _faults(self, row: Row, changes: Changes, checked: Checked) -> list[Finding]:
        faults = []
        if not _hash_holds(row):
            faults.append(Finding(Kind.ALTERED, row.signal_id, HASH_DIFFERS))
        record = self._own_record(row)
        if record is None:
            checked.unmatched.append(row.id)
        else:
            checked.lines.append(place(record.line.offset))
            faults += _differences(row, record, changes.get(row.id))
        return faults

    def _own_record(self, row: Row) -> Record | None:
        """Return the signal on the line that the row came from, if that line is still there."""
        if row.journal != self._journal:
            return None
        offset = row.place
        if not _is_place(offset):
            return None
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
        return Record(line, fields)

    def _select(self, where: str, *parameters: str | int) -> list[Row]:
        with tolerant_texts(self._using), connections[self._using].cursor() as cursor:
            cursor.execute(_SELECT + where, parameters)
            return [
                Row(row[0], row[1 : _WIDTH + 1], row[_WIDTH + 1 :]) for row in cursor.fetchall()
            ]

    def _last_changes(self, rows: Sequence[Row]) -> Changes:
        """Return the values after the last outcome change, by row id."""
        changes = OutcomeChange.objects.using(self._using).filter(
            signal__gte=rows[0].id, signal__lte=rows[-1].id
        )
        if not is_shared(self._using):  # any other change of another journal can only be forged
            adopted = Node.objects.using(self._using).exclude(adopted_at=None)
            changes = changes.filter(
                Q(journal=self._journal) | Q(journal__journal__in=adopted.values("identity"))
            )
        return {change.signal_id: change.after for change in changes.order_by("id")}


def _is_place(offset: Offset) -> bool:
    """Return True if these are valid numbers: SQLite stores values of any type."""
    return all(type(part) is int and part >= 0 for part in offset)


def _hash_holds(row: Row) -> bool:
    covered = _covered(row.signal)
    if tuple(map(type, covered)) != _COVERED_TYPES:
        return False
    return matches(covered, row.signal_id, row.signal[_SHA256])


def _differences(row: Row, record: Record, changed: dict[str, Any] | None) -> list[Finding]:
    try:
        fields = record.fields | changed if changed else record.fields
        signal = signal_row(fields)
        context = context_row(row.id, row.journal, record)
    except (KeyError, TypeError):
        return [
            Finding(Kind.ALTERED, row.signal_id, "has an invalid journal line or outcome change")
        ]
    if row.signal == signal and row.context == context:
        return []
    names = _differing(SIGNAL_COLUMNS, row.signal, signal)
    names += _differing(CONTEXT_COLUMNS, row.context, context)
    if not names:
        return []
    detail = f"differs from its journal line in {', '.join(names)}"
    return [Finding(Kind.ALTERED, row.signal_id, detail)]


def _differing(columns: Sequence[str], found: Values, expected: Values) -> list[str]:
    return [
        column
        for column, one, other in zip(columns, found, expected, strict=True)
        if one != other and not (column in JSON_COLUMNS and _same_json(one, other))
    ]


def _same_json(found: object, expected: object) -> bool:
    """Compare the values: PostgreSQL writes JSON text in its own way."""
    try:
        return bool(orjson.loads(found) == orjson.loads(expected))  # type: ignore[arg-type]
    except (orjson.JSONDecodeError, TypeError):
        return False
