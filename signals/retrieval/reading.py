"""Reads selected signals in batches of limited size; no read stays open between two batches."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from signals.dialect import snapshot
from signals.ledger.queries import COLUMNS
from signals.ledger.records import CONTEXT, MADE
from signals.models import Signal
from signals.retrieval.nested import as_text, value_of
from signals.retrieval.selection import Row, Wanted, among

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
_FIELDS = dict(zip(_NAMES, (*COLUMNS, *(f"context__{name}" for name in _OF_CONTEXT)), strict=True))

NESTED = ("votes", "extra")
_LONG = ("reasoning", *NESTED)
_READ = tuple(as_text(field) if name in NESTED else field for name, field in _FIELDS.items())


def read_batches(wanted: Wanted, size: int = BATCH_SIZE) -> Iterator[list[Row]]:
    """Yield all signals that pass, oldest row first, with their contexts, in batches."""
    for keys in _keys(wanted):
        yield from read_rows(keys, wanted, size)


def read_rows(keys: Sequence[int], wanted: Wanted, size: int = BATCH_SIZE) -> Iterator[list[Row]]:
    """Yield those signals with these keys, which are in order, that pass, in batches."""
    start, count = 0, size
    while start < len(keys):
        with snapshot():  # a row agrees with what is read beside it
            rows = _rows(keys[start : start + count])
            found = wanted.complete(rows) if rows else []
        start = bisect_right(keys, rows[-1]["id"]) if rows else start + count
        count = min(size, 2 * max(len(rows), 1))
        if found:
            yield found


def read_columns(
    wanted: Wanted, names: Sequence[str], size: int = BATCH_SIZE
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the same signals as tuples of these columns, of short ones alone.

    It reads nothing else, unless there is an `as_of`, which also needs the changes of a row.
    """
    if wanted.as_of is not None:
        values = itemgetter(*names)
        yield from (list(map(values, batch)) for batch in read_batches(wanted, size))
        return
    for keys in _keys(wanted):
        for start in range(0, len(keys), size):
            if found := _values(keys[start : start + size], names):
                yield found


def _keys(wanted: Wanted) -> "Iterator[array[int]]":
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


def _rows(keys: Sequence[int]) -> list[Row]:
    """Return the rows with these keys, or the first of them if they are large."""
    rows, weight, wanted = [], 0, set(keys)
    found = Signal.objects.filter(among("id", keys)).order_by("id").values_list(*_READ)
    for values in found.iterator(chunk_size=CHUNK_SIZE):
        row = dict(zip(_NAMES, values, strict=True))
        if row["id"] in wanted:
            weight += sum(len(row[name] or "") for name in _LONG)
            row.update((name, value_of(row[name])) for name in NESTED)
            rows.append(row)
        if weight > BATCH_BYTES:
            break
    return rows


def _values(keys: "array[int]", names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return these columns of the rows with these keys."""
    wanted, fields = set(keys), (_FIELDS[name] for name in names)
    found = Signal.objects.filter(among("id", keys)).order_by("id").values_list("id", *fields)
    return [row[1:] for row in found.iterator() if row[0] in wanted]
