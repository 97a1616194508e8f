"""Tables of signals: all at once, or in batches for as many signals as there are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from signals.retrieval.columns import SCHEMA, record_batch
from signals.retrieval.reading import BATCH_SIZE, read_batches
from signals.retrieval.selection import Row, Selection


def signal_table(**filters: Any) -> pa.Table:  # noqa: ANN401  # what Selection takes
    """Return the signals that the filters select as one table, oldest row first.

    `filters` are the fields of `Selection`, such as `symbol="AAPL"` or `as_of=moment`; without any
    the table has every signal. Its columns are those of `SCHEMA`, also if no signal passes. Use
    `.to_pandas()` for a data frame. `execution.analysis.tables.signal_table` also has decisions.

    Raises pydantic's ValidationError for a filter that does not exist or cannot be read.
    """
    return table_of(signal_batches(**filters), SCHEMA)


def signal_batches(size: int = BATCH_SIZE, **filters: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401
    """Return the same rows in batches of at most `size`, in bounded memory.

    Each batch is read when it is asked for. So a signal may be in it with an outcome that was
    recorded after the first batch was read; with an `as_of` in the past the rows never change.
    """
    wanted = Selection(**filters)
    return to_record_batches(read_batches(wanted, size), SCHEMA)


def table_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Return the batches as one table; equal texts have one place in its dictionaries."""
    return pa.Table.from_batches(batches, schema).unify_dictionaries()


def to_record_batches(
    batches: Iterable[Sequence[Row]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield batches of rows as record batches with these columns."""
    return (record_batch(rows, schema) for rows in batches)
