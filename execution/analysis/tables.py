"""Tables of signals with the decisions on them."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from execution.analysis.selection import DecidedSelection
from signals.retrieval.columns import SCHEMA, TEXT, TIME, WORD
from signals.retrieval.reading import BATCH_SIZE, read_batches
from signals.retrieval.tables import table_of, to_record_batches

DECIDED_SCHEMA = pa.schema(
    [
        *SCHEMA,
        ("decision", WORD),
        ("account", WORD),
        ("asked_by", WORD),
        ("queued_at", TIME),
        ("decided_at", TIME),
        ("skipped_for", WORD),
        ("reasons", TEXT),
    ]
)
"""The columns of a signal and of the decision on it; null if it has none."""


def signal_table(**filters: Any) -> pa.Table:  # noqa: ANN401  # what DecidedSelection takes
    """Return the signals that the filters select, with their decisions, as one table.

    `filters` are the fields of `DecidedSelection`. It is `signals.retrieval.tables.signal_table`
    with more filters and more columns: those of `DECIDED_SCHEMA`.
    """
    return table_of(signal_batches(**filters), DECIDED_SCHEMA)


def signal_batches(size: int = BATCH_SIZE, **filters: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401
    """Return the same rows in batches of at most `size`, in bounded memory."""
    return decided_batches(DecidedSelection(**filters), size)


def decided_batches(wanted: DecidedSelection, size: int = BATCH_SIZE) -> Iterator[pa.RecordBatch]:
    """Return the signals that this selection has, in batches."""
    return to_record_batches(read_batches(wanted, size), DECIDED_SCHEMA)
