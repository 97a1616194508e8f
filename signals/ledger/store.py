"""Puts journal records into the tables, inside the caller's transaction."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import DataError, IntegrityError, transaction

from signals.ledger.inserts import (
    insert_contexts,
    insert_signals,
    rows_without_context,
    stored_hashes,
)
from signals.ledger.records import IMPORTED, Record, context_row, signal_row
from signals.models import JournalCursor

ROW_ERRORS = (IntegrityError, DataError, OverflowError, orjson.JSONEncodeError)
"""What an insert raises because of a row's own values; any other error is no row's fault."""


class StoredSignal(NamedTuple):
    """A signal that was just stored, as the stored handlers get it.

    `id` is its row, `fields` what its journal line says.
    """

    id: int
    signal_id: str
    origin: str
    fields: dict[str, Any]


StoredHandler = Callable[[Sequence[StoredSignal]], None]


class Refusal(NamedTuple):
    """A record that was not stored, and why."""

    record: Record
    reason: str


class Outcome(NamedTuple):
    """What became of a batch of records."""

    stored: list[StoredSignal]
    duplicates: int
    conflicts: list[Refusal]
    refused: list[Refusal]


def store_fresh(records: Sequence[Record], cursor: JournalCursor, *, using: str) -> Outcome:
    """Insert all: they are new but for a replay, and so none is looked up first.

    Raises one of ROW_ERRORS where one is not new, or cannot be inserted.
    """
    stored = _insert(records, cursor, using) if records else []
    if len(stored) < len(records):
        raise IntegrityError("some are stored already")
    return Outcome(stored, 0, [], [])


def store(records: Sequence[Record], cursor: JournalCursor, *, using: str) -> Outcome:
    """Insert what is new. Raises one of ROW_ERRORS where a row cannot be inserted."""
    fresh, known, conflicts = _sort_out(records, using)
    stored = _insert(fresh, cursor, using) if fresh else []
    if len(stored) < len(fresh):  # another machine stored some of them meanwhile
        ids = {signal.signal_id for signal in stored}
        rest = _sort_out([record for record in fresh if record.signal_id not in ids], using)
        known, conflicts = known + rest.known, conflicts + rest.conflicts
    if history := [record for record in known if record.fields["origin"] in IMPORTED]:
        _adopt(history, cursor, using)
    return Outcome(stored, len(known), conflicts, [])


def store_one_by_one(records: Sequence[Record], cursor: JournalCursor, *, using: str) -> Outcome:
    """Insert what is new; a record that the database refuses does not stop the others."""
    outcomes = [_store_alone(record, cursor, using) for record in records]
    return Outcome(
        [signal for outcome in outcomes for signal in outcome.stored],
        sum(outcome.duplicates for outcome in outcomes),
        [refusal for outcome in outcomes for refusal in outcome.conflicts],
        [refusal for outcome in outcomes for refusal in outcome.refused],
    )


def _store_alone(record: Record, cursor: JournalCursor, using: str) -> Outcome:
    try:
        with transaction.atomic(using=using):
            return store([record], cursor, using=using)
    except ROW_ERRORS as error:
        return Outcome([], 0, [], [Refusal(record, f"the database refused it: {error}")])


class _Sorted(NamedTuple):
    fresh: list[Record]
    known: list[Record]
    conflicts: list[Refusal]


def _sort_out(records: Sequence[Record], using: str) -> _Sorted:
    """The records that are new, those that are stored, and those at odds with a stored one."""
    hashes = stored_hashes(using, [record.signal_id for record in records])
    result = _Sorted([], [], [])
    for record in records:
        stored = hashes.get(record.signal_id)
        if stored is None:
            hashes[record.signal_id] = record.sha256
            result.fresh.append(record)
        elif stored == record.sha256:
            result.known.append(record)
        else:
            reason = f"its id is stored with another hash, {stored}"
            result.conflicts.append(Refusal(record, reason))
    return result


def _adopt(records: Sequence[Record], cursor: JournalCursor, using: str) -> None:
    """Give rows that an older system inserted the context that their journal line makes."""
    lacking = rows_without_context(using, [record.signal_id for record in records])
    insert_contexts(
        using,
        [
            context_row(row, cursor.pk, record)
            for record in records
            if (row := lacking.pop(record.signal_id, None)) is not None
        ],
    )


def _insert(records: Sequence[Record], cursor: JournalCursor, using: str) -> list[StoredSignal]:
    ids = insert_signals(using, [signal_row(record.fields) for record in records])
    stored, contexts = [], []
    for record in records:
        fields = record.fields
        row = ids.get(fields["signal_id"])
        if row is not None:
            contexts.append(context_row(row, cursor.pk, record))
            stored.append(StoredSignal(row, fields["signal_id"], fields["origin"], fields))
    insert_contexts(using, contexts)
    return stored
