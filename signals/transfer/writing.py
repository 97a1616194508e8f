"""Writes signals as JSON lines or CSV, which can be imported again, a batch at a time."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson

from signals.ledger.records import CONTEXT, MADE, SIGNAL_COLUMNS
from signals.transfer.cells import written

Rows = Iterable[Sequence[dict[str, Any]]]
COLUMNS = (*SIGNAL_COLUMNS, *MADE, *CONTEXT, "extra")


def write_json_lines(batches: Rows, file: BinaryIO) -> None:
    """Write one object on each line, as in the journal: unknown fields beside the known ones."""
    for batch in batches:
        file.write(b"".join(orjson.dumps(_flat(row)) + b"\n" for row in batch))


def write_csv(batches: Rows, file: BinaryIO) -> None:
    """Write a header and one row for each signal; votes and unknown fields are cells of JSON.

    A text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for batch in batches:
        writer.writerows(map(_texts, batch))
    text.detach()


WRITERS: Mapping[str, Callable[[Rows, BinaryIO], None]] = {
    "jsonl": write_json_lines,
    "csv": write_csv,
}


def counted(batches: Rows, count: Callable[[int], object]) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield the same batches; call `count` with the size of each."""
    for batch in batches:
        yield batch
        count(len(batch))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: row[name] for name in COLUMNS[:-1] if row[name] is not None}
    return given | (row["extra"] or {})


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    """Return the cells of CSV, in which a spreadsheet finds no formula."""
    return {name: written(value) for name, value in _cells(row).items()}


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    cells = {name: row[name] for name in COLUMNS}
    for name in ("votes", "extra"):
        if cells[name] is not None:
            cells[name] = orjson.dumps(cells[name]).decode()
    return cells
