"""The cost of an insert into millions of rows, compared with an empty database."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from django.conf import settings
from django.db import connections

from signals.journal import Journal
from signals.ledger.flush import Flusher
from tests.benchmarks import bare, millions, samples
from tests.benchmarks.figures import Figure, at_most, number
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace, say

ALIAS = "growth-{}"
Costs = Mapping[str, float]


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure Argo's flush, and a bare `executemany` on SQLite's default settings."""
    rows, count = workspace.size(5_000_000, 200_000), workspace.size(100_000, 20_000)
    say(f"  filling a database with {rows:,} rows")
    full = _new_database("full")
    millions.fill(full, rows)
    costs = medians(workspace.size(3, 2), _sides(full, count, iter(range(rows, 2**40, count))))
    argo, other = (costs[f"{name}, full"] / costs[f"{name}, empty"] for name in ("Argo", "bare"))
    what = f"cost of an insert into {rows:,} rows, to one into none"
    bare_one = f"{number(other)} times, bare executemany on SQLite's defaults"
    yield at_most(what, argo, 2, " times", reference=bare_one)
    yield _costs("- into none", costs, "empty")
    yield _costs(f"- into {rows:,} rows", costs, "full")


def _costs(what: str, costs: Costs, place: str) -> Figure:
    argo, other = (f"{costs[f'{name}, {place}']:.1f} µs a row" for name in ("Argo", "bare"))
    return Figure(what, argo, other)


def _sides(full: Path, count: int, firsts: Iterator[int]) -> Mapping[str, Callable[[int], float]]:
    """Return the sides, each measured in microseconds a row."""

    def side(cost: Callable[[Path, int, int], float], place: Callable[[], Path]) -> float:
        return cost(place(), count, next(firsts)) / count * 1e6

    def empty() -> Path:
        return _new_database("empty")

    return {
        "Argo, empty": lambda number: side(_flush, empty),
        "bare, empty": lambda number: side(_insert, empty),
        "Argo, full": lambda number: side(_flush, lambda: full),
        "bare, full": lambda number: side(_insert, lambda: full),
    }


def _new_database(name: str) -> Path:
    """Return a copy of the migrated database, with its own alias."""
    path = settings.DATA_DIR / name / "signals.db"
    if ALIAS.format(name) in connections.databases:
        _disconnect(name)
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    shutil.copyfile(settings.DATA_DIR / "signals.db", path)
    default = connections.databases["default"]
    connections.databases[ALIAS.format(name)] = default | {"NAME": str(path)}
    return path


def _disconnect(name: str) -> None:
    connection: Any = connections[ALIAS.format(name)]  # Argo's engine has more than Django's
    connection.close()
    connection.dispose_pool()


def _flush(database: Path, count: int, first: int) -> float:
    """Return the seconds of a flush and the checkpoint after it."""
    alias = ALIAS.format(database.parent.name)
    journal = Journal(database.parent / f"{first}" / "signals.log")
    samples.fill(journal, count, first)
    connections[alias].ensure_connection()
    flusher, raw = Flusher(journal, using=alias), connections[alias].connection
    return seconds(flusher.flush, lambda: _checkpoint(raw))


def _insert(database: Path, count: int, first: int) -> float:
    """Return the seconds of the inserts and the checkpoint after them."""
    lines = [line for batch in samples.lines(count, first) for line in batch]
    connection = sqlite3.connect(database, isolation_level=None)
    rows = bare.rows(lines, first_id=bare.next_id(connection), journal=millions.JOURNAL)
    try:
        return seconds(lambda: bare.insert(connection, rows), lambda: _checkpoint(connection))
    finally:
        connection.close()


def _checkpoint(connection: Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
