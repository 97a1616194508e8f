"""Finds the columns of a batch in which no row has a value.

The SQLite driver tries to adapt each None that it gets as a parameter, which fails and takes a
microsecond: longer than all other values of the row together. So NULL is part of the statement.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

Rows = Sequence[tuple[Any, ...]]


class Batch(NamedTuple):
    """Rows with values for `columns`; in the columns `empty` all of them are None."""

    columns: Sequence[str]
    rows: Rows
    empty: Sequence[str]


def without_empty(columns: Sequence[str], rows: Rows) -> Batch:
    """Take those columns out of the rows in which every row has None."""
    is_empty = [_is_empty(values) for values in zip(*rows, strict=True)]
    kept = [place for place, empty in enumerate(is_empty) if not empty]
    if len(kept) in (len(columns), 0, 1):  # nothing to gain
        return Batch(columns, rows, ())
    names = [column for column, empty in zip(columns, is_empty, strict=True) if empty]
    return Batch([columns[place] for place in kept], list(map(itemgetter(*kept), rows)), names)


def _is_empty(values: tuple[Any, ...]) -> bool:
    return values[0] is None and values.count(None) == len(values)
