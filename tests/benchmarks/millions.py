"""Fills a database with millions of rows quickly; the rows have no journal lines."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.benchmarks.samples import START, SYMBOLS

BATCH_SIZE = 250_000
FAST = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "foreign_keys=OFF")
JOURNAL = 1000
"""The id of the journal that these rows refer to."""

NUMBERS = """WITH RECURSIVE numbers(n) AS (
    SELECT :first UNION ALL SELECT n + 1 FROM numbers LIMIT :count
)"""
SIGNALS = f"""
INSERT INTO signals (id, signal_id, symbol, action, entry_price, target_price, stop_price,
    confidence, strategy, asset_type, data_source, timestamp, sha256, created_at)
{NUMBERS}
SELECT n + 1, lower(hex(randomblob(8))), :symbols ->> (n % :symbol_count), 'BUY', 150.1234,
    157.6296, 145.6197, 85.5, 'weighted_consensus', 'stock', 'weighted_consensus',
    strftime('%Y-%m-%dT%H:%M:%SZ', :start + n * 60, 'unixepoch'), lower(hex(randomblob(32))),
    '2025-01-15 10:30:00'
FROM numbers
"""
CONTEXTS = f"""
INSERT INTO signal_contexts (id, journal_id, segment, byte, origin, received_at, regime, reasoning,
    sources, agreement)
{NUMBERS}
SELECT n + 1, {JOURNAL}, 1, n * 500, 'benchmark', '2025-01-15T10:30:00.123456Z', 'BULL',
    '10-day mean 151.62 against 30-day mean 148.62', 5, 0.85
FROM numbers
"""


def fill(database: Path, rows: int) -> None:
    """Insert `rows` rows with all indexes in place; `database` must be empty."""
    with unprotected(database) as connection:
        connection.execute(
            f"INSERT INTO journal_cursors VALUES ({JOURNAL}, 'filled before', 1, 0, '')"
        )
        for first in range(0, rows, BATCH_SIZE):
            insert(connection, first, min(BATCH_SIZE, rows - first))


def insert(connection: sqlite3.Connection, first: int, count: int) -> None:
    """Insert rows, the number `first` and those that follow."""
    values = _values(first, count)
    connection.execute(SIGNALS, values)
    connection.execute(CONTEXTS, values)


@contextmanager
def unprotected(database: Path) -> Iterator[sqlite3.Connection]:
    """Connect to write quickly; a crash meanwhile would destroy the database."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in FAST:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        yield connection
        connection.execute("PRAGMA journal_mode=WAL").fetchall()


def _values(first: int, count: int) -> dict[str, object]:
    return {
        "first": first,
        "count": count,
        "start": int(START.timestamp()),
        "symbols": json.dumps(SYMBOLS),
        "symbol_count": len(SYMBOLS),
    }
