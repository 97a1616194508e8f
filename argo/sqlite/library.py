"""Replaces the standard library's SQLite with a fixed version."""

import sys

import pysqlite3

FIRST_FIXED = (3, 51, 3)
"""The first release without the bug that could corrupt a database when the WAL was reset
while another connection was checkpointing (https://sqlite.org/wal.html#walresetbug)."""


def use_fixed_sqlite() -> None:
    """Make every later `import sqlite3` find the fixed library.

    Both names are replaced: if two copies of SQLite in one process open the same file, they break
    each other's POSIX locks.
    """
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
