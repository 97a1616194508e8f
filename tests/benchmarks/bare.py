"""The bare `executemany` that a flush is compared with: prepared rows, no checks."""

from collections.abc import Iterator, Sequence
from itertools import islice
from sqlite3 import Connection
from typing import Any, NamedTuple

from signals.journal import Line, Offset
from signals.ledger.records import (
    CONTEXT_COLUMNS,
    SIGNAL_COLUMNS,
    Record,
    context_row,
    json_object,
    signal_row,
)
from tests.benchmarks import samples

BATCH_SIZE = 5000
STORED_AT = "2025-01-15T10:30:00.000000Z"
Row = tuple[Any, ...]


class Rows(NamedTuple):
    """Rows of both tables."""

    signals: list[Row]
    contexts: list[Row]


def signal_rows(signals: Sequence[dict[str, Any]]) -> list[Row]:
    """Return the rows of `signals` that Argo would store."""
    return [signal_row(record.fields) for record in _records(samples.encoded(signals))]


def rows(lines: Sequence[bytes], *, first_id: int, journal: int) -> Rows:
    """Return the rows of both tables that Argo would store for these lines."""
    records = list(_records(lines))
    contexts = [
        (*context_row(first_id + n, journal, record), STORED_AT) for n, record in enumerate(records)
    ]
    return Rows([signal_row(record.fields) for record in records], contexts)


def insert(connection: Connection, rows: Rows) -> None:
    """Insert the rows, 5,000 signals a transaction. The connection must be in autocommit mode."""
    signals, contexts = iter(rows.signals), iter(rows.contexts)
    while batch := list(islice(signals, BATCH_SIZE)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_statement("signals", SIGNAL_COLUMNS), batch)
        connection.executemany(
            _statement("signal_contexts", (*CONTEXT_COLUMNS, "stored_at")),
            list(islice(contexts, BATCH_SIZE)),
        )
        connection.execute("COMMIT")


def next_id(connection: Connection) -> int:
    """Return the id that the next signal gets."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'signals'").fetchone()
    return int(found[0]) + 1 if found else 1


def _records(lines: Sequence[bytes]) -> Iterator[Record]:
    byte = 0
    for data in lines:
        line = Line(Offset(1, byte), data)
        yield Record(line, json_object(line))
        byte += len(data) + 1


def _statement(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
