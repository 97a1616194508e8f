"""The data folder that an older release left, and what is in its tables."""

import json
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.installation import Installation

ARCHIVE = Path(__file__).parent / "data-folder-0.1.0.tar.xz"
APPS = ("signals", "sync", "execution")
Rows = list[tuple[Any, ...]]
SIGNAL = json.dumps({
    "symbol": "AAPL", "action": "BUY", "entry_price": 150.5, "target_price": 158.0,
    "stop_price": 146.0, "confidence": 85.5, "strategy": "new", "timestamp": "2025-01-15T10:30:00Z",
})  # fmt: skip


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    output: str
    errors: str


def run_all(argo: Installation, *commands: list[str]) -> list[Ended]:
    """Run these one after another in a process of their own."""
    running = argo.start(
        "-m", "tests.upgrade.commands", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = running.communicate(json.dumps(commands), timeout=240)
    assert running.returncode == 0, output
    return [Ended(*each) for each in json.loads(output)]


def verified(ended: Ended) -> dict[str, Any]:
    """What `verify_signals --json` found, which is nothing wrong."""
    assert ended.code == 0, ended
    found: dict[str, Any] = json.loads(ended.output)
    return found


def unpack(folder: Path) -> None:
    """Put the older release's data folder there, and what its `verify_signals` said of it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")


def migrations(folder: Path) -> list[tuple[str, str]]:
    """App and name of the last migration of each of Argo's apps in this folder's database."""
    statement = "SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app"
    with opened(folder) as database:
        return [(app, name) for app, name in database.execute(statement) if app in APPS]


def tables(folder: Path) -> dict[str, list[str]]:
    """Argo's own tables in this folder, each with its columns."""
    with opened(folder) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in found if not name.startswith(FOREIGN)]
        return {name: _columns(database, name) for name in sorted(names)}


FOREIGN = ("sqlite_", "django_", "auth_")
"""What SQLite, Django and the packages beside Argo call their tables."""


def rows(folder: Path, table: str, columns: list[str]) -> Rows:
    """Every row, oldest first, each value with its type: SQLite keeps any type in any column."""
    wanted = ", ".join(f"{name}, typeof({name})" for name in columns)
    with opened(folder) as database:
        return database.execute(f"SELECT {wanted} FROM {table} ORDER BY id").fetchall()


def plain_rows(folder: Path, table: str, columns: list[str]) -> Rows:
    """Every row, oldest first, as SQLite keeps it."""
    return [row[::2] for row in rows(folder, table, columns)]


def opened(folder: Path) -> "closing[sqlite3.Connection]":
    """The folder's database, as any program would open it."""
    return closing(sqlite3.connect(folder / "signals.db"))


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def only_in(first: dict[str, list[str]], second: dict[str, list[str]]) -> Iterator[str]:
    """Tables and columns that the first has and the second has not."""
    for table, columns in first.items():
        if table not in second:
            yield table
        else:
            yield from (f"{table}.{name}" for name in columns if name not in second[table])
