"""The fixed SQLite library is the only one, in every process of Argo."""

import sqlite3
import subprocess
import sys

import pysqlite3

from tests.installation import ROOT, Installation


def test_sqlite3_is_the_library_that_argo_brings() -> None:
    assert sqlite3 is pysqlite3
    assert sys.modules["sqlite3.dbapi2"] is pysqlite3.dbapi2


def test_the_standard_library_is_replaced_before_argo_can_import_it() -> None:
    """Checked in a new process, which has imported nothing yet."""
    code = (
        "import argo, sqlite3, sqlite3.dbapi2, sys;"
        "print(sqlite3.__name__, sqlite3.dbapi2.__name__, '_sqlite3' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["pysqlite3", "pysqlite3.dbapi2", "False"]


def test_the_database_reports_the_fixed_version(installation: Installation) -> None:
    (version,) = installation.query("SELECT sqlite_version()")[0]
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)
