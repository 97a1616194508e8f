"""The table `signals` has the seed's columns exactly; an existing table is adopted."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation
from tests.legacy import legacy_database, legacy_rows

SEED_TABLE = Path(__file__).with_name("seed-table.sql").read_text()


def _described(connection: sqlite3.Connection) -> list[Any]:
    """Return the columns with type, NOT NULL, default and key, and then the unique indexes."""
    columns = connection.execute("PRAGMA table_info(signals)").fetchall()
    indexes = connection.execute("PRAGMA index_list(signals)").fetchall()
    unique = [
        connection.execute(f"PRAGMA index_info({name})").fetchall()
        for _, name, is_unique, origin, _ in indexes
        if is_unique and origin == "u"
    ]
    return [*columns, *unique]


def _autoincrements(connection: sqlite3.Connection) -> bool:
    sql: str = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'signals'"
    ).fetchone()[0]
    return "AUTOINCREMENT" in sql


def test_the_table_is_the_seeds(installation: Installation) -> None:
    with closing(sqlite3.connect(":memory:")) as seed, closing(installation.connect()) as argo:
        seed.execute(SEED_TABLE)
        assert _described(argo) == _described(seed)
        assert _autoincrements(argo)


def test_the_seeds_own_sql_still_works(installation: Installation) -> None:
    with closing(installation.connect()) as connection:
        connection.execute(
            "INSERT INTO signals (signal_id, symbol, action, entry_price, target_price, stop_price,"
            " confidence, strategy, asset_type, timestamp, sha256)"
            " VALUES ('a', 'AAPL', 'BUY', 1, 2, 0.5, 80, 's', 'stock', '2025-01-15T10:30:00Z', 'x')"
        )
        row = connection.execute("SELECT data_source, outcome, created_at FROM signals").fetchone()
    assert row[:2] == ("weighted_consensus", None)
    assert len(row[2]) == len("2025-01-15 10:30:00")


def test_an_existing_database_is_adopted_with_its_rows_in_place(tmp_path: Path) -> None:
    rows = legacy_rows(30)
    legacy_database(tmp_path / "signals.db", rows)
    installation = Installation(tmp_path)
    before = installation.query("SELECT * FROM signals")
    assert installation.manage("migrate", "--verbosity", "0").returncode == 0
    assert installation.query("SELECT * FROM signals") == before
    assert installation.manage("flush_signals").returncode == 0
    verified = installation.manage("verify_signals")
    assert verified.returncode == 0, verified.stdout
    assert installation.query("SELECT count(*) FROM signal_contexts") == [(30,)]


def test_adopted_rows_can_be_rebuilt_from_the_journal(tmp_path: Path) -> None:
    legacy_database(tmp_path / "signals.db", legacy_rows(30))
    installation = Installation(tmp_path)
    installation.manage("migrate", "--verbosity", "0")
    rebuilt = tmp_path / "rebuilt"
    shutil.copytree(tmp_path, rebuilt, ignore=shutil.ignore_patterns("signals.db*"))
    answer = Installation(rebuilt).manage("rebuild_signals", "--into", str(rebuilt / "signals.db"))
    assert answer.returncode == 0, answer.stderr
    query = "SELECT * FROM signals"
    assert Installation(rebuilt).query(query) == installation.query(query)


def test_a_table_with_another_schema_is_not_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "signals.db")) as connection:
        connection.execute("CREATE TABLE signals (id INTEGER, what TEXT)")
    answer = Installation(tmp_path).manage("migrate")
    assert answer.returncode == 1
    assert "another schema" in answer.stderr
    assert "import_signals" in answer.stderr


@pytest.mark.parametrize("table", ["journal_cursors", "dead_letters", "outcome_changes"])
def test_the_other_tables_have_the_names_that_others_rely_on(
    installation: Installation, table: str
) -> None:
    assert installation.query(f"SELECT count(*) FROM {table}") == [(0,)]
