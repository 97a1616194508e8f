"""Stores journal records in the tables, inside the caller's transaction.

`stored_at` is the time of that by the wall clock, as UTC text; None if the records are not new.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import DataError, IntegrityError, transaction
from msgspec import Struct

from signals.dialect import refusal_of
from signals.ledger.inserts import (
    insert_contexts,
    insert_fresh_signals,
    insert_signals,
    rows_without_context,
    stored_hashes,
)
from signals.ledger.instants import insert_instants
from signals.ledger.records import IMPORTED, NAMED_BY_ALERT
from signals.ledger.sums.statements import NO_ORIGIN
from signals.ledger.sums.update import restart_sums
from signals.ledger.usual import AnyRecord
from signals.models import JournalCursor

ROW_ERRORS = (IntegrityError, DataError, OverflowError, orjson.JSONEncodeError)
"""Errors that a row's own values cause; any other error is not about a row."""


class StoredSignal(Struct, frozen=True):
    """A signal that was just stored, as the stored handlers receive it.

    `id` is the primary key of its row.
    """

    id: int
    signal_id: str
    origin: str
    record: AnyRecord

    @property
    def fields(self) -> dict[str, Any]:
        """Return the content of its journal line."""
        return self.record.fields


StoredHandler = Callable[[Sequence[StoredSignal]], None]


class Refusal(NamedTuple):
    """A record that was not stored, and why."""

    record: AnyRecord
    reason: str


class StoreResult(NamedTuple):
    """A batch of records: those that were stored, and the others by reason."""

    stored: list[StoredSignal]
    duplicates: int
    conflicts: list[Refusal]
    refused: list[Refusal]


def store_fresh(
    records: Sequence[AnyRecord], cursor: JournalCursor, stored_at: str | None, *, using: str
) -> StoreResult:
    """Insert all without a lookup: except in a replay all are new.

    Raises one of ROW_ERRORS if a record is stored already or cannot be inserted.
    """
    insert = insert_fresh_signals
    stored = _insert(records, cursor, stored_at, using, insert) if records else []
    if len(stored) < len(records):
        raise IntegrityError("some are stored already")
    return StoreResult(stored, 0, [], [])


def store(
    records: Sequence[AnyRecord], cursor: JournalCursor, stored_at: str | None, *, using: str
) -> StoreResult:
    """Insert what is new. Raises one of ROW_ERRORS if a row cannot be inserted."""
    fresh, known, conflicts = _classify(records, using)
    stored = _insert(fresh, cursor, stored_at, using) if fresh else []
    if len(stored) < len(fresh):  # another machine stored some of them meanwhile
        ids = {signal.signal_id for signal in stored}
        rest = _classify([record for record in fresh if record.signal_id not in ids], using)
        known, conflicts = known + rest.known, conflicts + rest.conflicts
    if history := [record for record in known if record.origin in IMPORTED]:
        _adopt(history, cursor, stored_at, using)
    return StoreResult(stored, len(known), conflicts, [])


def store_one_by_one(
    records: Sequence[AnyRecord], cursor: JournalCursor, stored_at: str | None, *, using: str
) -> StoreResult:
    """Insert what is new; a record that the database refuses does not stop the others."""
    results = [_store_isolated(record, cursor, stored_at, using) for record in records]
    return StoreResult(
        [signal for result in results for signal in result.stored],
        sum(result.duplicates for result in results),
        [refusal for result in results for refusal in result.conflicts],
        [refusal for result in results for refusal in result.refused],
    )


def _store_isolated(
    record: AnyRecord, cursor: JournalCursor, stored_at: str | None, using: str
) -> StoreResult:
    try:
        with transaction.atomic(using=using):
            return store([record], cursor, stored_at, using=using)
    except ROW_ERRORS as error:
        return StoreResult([], 0, [], [Refusal(record, refusal_of(error))])


class _Classified(NamedTuple):
    fresh: list[AnyRecord]
    known: list[AnyRecord]
    conflicts: list[Refusal]


def _classify(records: Sequence[AnyRecord], using: str) -> _Classified:
    """Divide the records into new ones, stored ones, and conflicts with a stored one."""
    hashes = stored_hashes(using, [record.signal_id for record in records])
    result = _Classified([], [], [])
    for record in records:
        stored = hashes.get(record.signal_id)
        if stored is None:
            hashes[record.signal_id] = record.sha256
            result.fresh.append(record)
        elif stored == record.sha256 or record.origin == NAMED_BY_ALERT:
            result.known.append(record)
        else:
            reason = f"its id is stored with another hash, {stored}"
            result.conflicts.append(Refusal(record, reason))
    return result


def _adopt(
    records: Sequence[AnyRecord], cursor: JournalCursor, stored_at: str | None, using: str
) -> None:
    """Add the context to rows that an older system inserted, from their journal lines.

    The sums begin anew if a row has another origin than the one that they counted.
    """
    lacking = rows_without_context(using, [record.signal_id for record in records])
    adopted = [
        (row, record)
        for record in records
        if (row := lacking.pop(record.signal_id, None)) is not None
    ]
    contexts = [record.context(row, cursor.pk) for row, record in adopted]
    insert_contexts(using, contexts, stored_at)
    insert_instants(using, [_timed(row, record) for row, record in adopted])
    if any(record.origin != NO_ORIGIN for _, record in adopted):
        restart_sums(using=using)


def _insert(
    records: Sequence[AnyRecord],
    cursor: JournalCursor,
    stored_at: str | None,
    using: str,
    insert: Callable[[str, Sequence[tuple[Any, ...]]], dict[str, int]] = insert_signals,
) -> list[StoredSignal]:
    ids = insert(using, [record.row for record in records])
    stored, contexts = [], []
    for record in records:
        row = ids.get(record.signal_id)
        if row is not None:
            contexts.append(record.context(row, cursor.pk))
            stored.append(StoredSignal(row, record.signal_id, record.origin, record))
    insert_contexts(using, contexts, stored_at)
    history = [signal for signal in stored if signal.origin in IMPORTED]
    if history:  # all others have Argo's spelling
        insert_instants(using, [_timed(signal.id, signal.record) for signal in history])
    return stored


def _timed(row: int, record: AnyRecord) -> tuple[int, str, str]:
    fields = record.fields
    return row, fields["symbol"], fields["timestamp"]
