"""Chooses how the configured database is backed up."""

from collections.abc import Callable

from django.db import connections

from signals.backup.database import Database
from signals.backup.postgresql import PostgresqlDatabase
from signals.backup.sqlite import SqliteDatabase

KINDS: dict[str, Callable[[str], Database]] = {
    "sqlite": SqliteDatabase,
    "postgresql": PostgresqlDatabase,
}


def database(using: str = "default") -> Database:
    """Return the database with this alias, to back it up or to restore it."""
    return KINDS[connections[using].vendor](using)
