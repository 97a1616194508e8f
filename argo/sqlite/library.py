"""Which SQLite library runs: a fixed one, put in place of the standard library's."""

import sys

import pysqlite3

FIRST_FIXED = (3, 51, 3)
"""The first release without the bug that could corrupt a database when the WAL was reset
while another connection was checkpointing (https://sqlite.org/wal.html#walresetbug)."""


def use_fixed_sqlite() -> None:
    """Let every later `import sqlite3` find the fixed library, whole.

    Both names are replaced: two copies of SQLite in one process that open the same file would
    undo each other's POSIX locks.
    """
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
