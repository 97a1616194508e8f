"""Writes a table of signals as a stream of bytes: Arrow, Parquet, CSV or JSON lines."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from signals.timestamps import utc_text
from signals.transfer.cells import written

Batches = Iterable[pa.RecordBatch]


class Format(NamedTuple):
    """How a table is written: its media type, and the function that yields its bytes."""

    media_type: str
    encode: Callable[[Batches, pa.Schema], Iterator[bytes]]


class _Outbox(io.RawIOBase):
    """Takes bytes from a writer, and hands them on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        self._parts.append(bytes(data))
        self._place += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._place

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def encode_arrow(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, which `pyarrow.ipc.open_stream` reads."""
    out = _Outbox()
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield out.take()
    yield out.take()


def encode_parquet(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    """Yield a Parquet file with a row group for each batch."""
    out = _Outbox()
    with pq.ParquetWriter(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield out.take()
    yield out.take()


def encode_csv(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    """Yield CSV with a header; null is an empty cell, and a time is ISO 8601 in UTC.

    A text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    with closing(io.StringIO(newline="")) as text:
        writer = csv.writer(text)
        writer.writerow(schema.names)
        for batch in batches:
            writer.writerows([_cell(value) for value in row.values()] for row in batch.to_pylist())
            yield _taken(text)
        yield _taken(text)


def encode_json_lines(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    """Yield one JSON object on each line, with every column; `votes` and `extra` are texts."""
    for batch in batches:
        yield b"".join(
            orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
            for row in batch.to_pylist()
        )


FORMATS: Mapping[str, Format] = {
    "arrow": Format("application/vnd.apache.arrow.stream", encode_arrow),
    "parquet": Format("application/vnd.apache.parquet", encode_parquet),
    "csv": Format("text/csv; charset=utf-8", encode_csv),
    "jsonl": Format("application/x-ndjson", encode_json_lines),
}


def _cell(value: object) -> object:
    return utc_text(value) if isinstance(value, datetime) else written(value)


def _taken(text: io.StringIO) -> bytes:
    taken = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return taken
