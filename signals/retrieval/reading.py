"""Reads selected signals in batches of limited size; no read stays open between two batches."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator

import orjson

from signals.dialect import snapshot
from signals.ledger.queries import COLUMNS
from signals.ledger.records import CONTEXT, MADE
from signals.models import Signal
from signals.retrieval.selection import Row, Selection, among

BATCH_SIZE = 5000
BATCH_BYTES = 4 * 2**20
"""A batch ends with the row whose long texts exceed this."""
CHUNK_SIZE = 50
"""Rows that are fetched at once: one may have a megabyte."""
KEYS = 500_000
"""Primary keys that are read at once, at 8 bytes each."""
FIRST_KEY = -(2**63)
_OF_CONTEXT = (*MADE, "stored_at", *CONTEXT, "extra")
_NAMES = (*COLUMNS, *_OF_CONTEXT)
_FIELDS = (*COLUMNS, *(f"context__{name}" for name in _OF_CONTEXT))


def read_batches(wanted: Selection, size: int = BATCH_SIZE) -> Iterator[list[Row]]:
    """Yield all signals that pass, oldest row first, with their contexts, in batches."""
    for keys in _keys(wanted):
        start, count = 0, size
        while start < len(keys):
            with snapshot():  # a row agrees with what is read beside it
                rows = _rows(keys[start : start + count])
                found = wanted.complete(rows) if rows else []
            start = bisect_right(keys, rows[-1]["id"]) if rows else start + count
            count = min(size, 2 * max(len(rows), 1))
            if found:
                yield found


def _keys(wanted: Selection) -> "Iterator[array[int]]":
    """Yield the primary keys of the signals that pass, in order, in large blocks.

    The rows are then read by key. If each batch asked for the signals after the last one that
    pass, SQLite would read and sort every signal of a symbol for each of them.
    """
    signals, last = wanted.apply(Signal.objects.all()).order_by("id"), FIRST_KEY
    while True:
        ids = signals.filter(id__gt=last).values_list("id", flat=True)[:KEYS]
        keys = array("q", ids.iterator(chunk_size=10_000))
        if keys:
            yield keys
        if len(keys) < KEYS:
            return
        last = keys[-1]


def _rows(keys: "array[int]") -> list[Row]:
    """Return the rows with these keys, or the first of them if they are large."""
    rows, weight, wanted = [], 0, set(keys)
    found = Signal.objects.filter(among("id", keys)).order_by("id").values_list(*_FIELDS)
    for values in found.iterator(chunk_size=CHUNK_SIZE):
        row = dict(zip(_NAMES, values, strict=True))
        if row["id"] in wanted:
            rows.append(row)
            weight += _weight(row)
        if weight > BATCH_BYTES:
            break
    return rows


def _weight(row: Row) -> int:
    """Return about how many bytes the long columns have."""
    nested = (row["votes"], row["extra"])
    return len(row["reasoning"] or "") + sum(
        len(orjson.dumps(each)) for each in nested if each is not None
    )
