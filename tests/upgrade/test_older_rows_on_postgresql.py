"""The rows that release 0.1.0 left fit the newest tables of PostgreSQL, too."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb
from pytest_django import DjangoDbBlocker

from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.upgrade.older_folder import (
    SIGNAL,
    migrations,
    plain_rows,
    run_all,
    tables,
    unpack,
    verified,
)

pytestmark = pytest.mark.services("postgresql")
ALIAS = "upgraded"
AS_POSTGRESQL_HAS_IT: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "bytea": bytes,
    "date": date.fromisoformat,
    "jsonb": json.loads,
    "numeric": Decimal,
    "timestamp with time zone": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
}
Types = dict[str, str]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The folder as the release left it."""
    folder = tmp_path / "older"
    unpack(folder)
    return folder


def test_rows_of_the_older_release_are_migrated_unchanged_and_used_on(
    older: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with empty_postgresql() as url:
        with django_db_blocker.unblock(), connected(url):
            migrate_to(migrations(older))
        with psycopg.connect(url) as database:
            copied = {table: copy(database, older, table) for table in tables(older)}
        folder = tmp_path / "argo"
        shutil.copytree(older, folder)
        (folder / "signals.db").unlink()
        argo = Installation(folder, {"DATABASE_URL": url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        with psycopg.connect(url) as database:
            for table, (types, rows) in copied.items():
                assert rows
                assert stored(database, table, types) == rows, table
        before, logged, after = run_all(
            argo,
            ["verify_signals", "--json"],
            ["log_signal", SIGNAL],
            ["verify_signals", "--json"],
        )
        assert logged.code == 0, logged
        assert verified(before)["rows"] == len(copied["signals"][1])
        assert verified(after)["rows"] > verified(before)["rows"]
        assert verified(after)["pending"] == 0


@contextmanager
def connected(url: str) -> Iterator[None]:
    """This database under `ALIAS`, in this process."""
    name = url.rpartition("/")[2]
    connections.databases[ALIAS] = settings.DATABASES["postgresql"] | {"NAME": name}
    try:
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]


def migrate_to(targets: list[tuple[str, str]]) -> None:
    """Make the tables as they were after these migrations."""
    MigrationExecutor(connections[ALIAS]).migrate(targets)


def copy(database: psycopg.Connection, older: Path, table: str) -> tuple[Types, list[Any]]:
    """Bring the older rows of a table into this database; its columns, and the rows there."""
    types = types_of(database, table)
    found = [
        tuple(converted(value, kind) for value, kind in zip(row, types.values(), strict=True))
        for row in plain_rows(older, table, [*types])
    ]
    slots = SQL(", ").join(SQL("%s") * len(types))
    names = SQL(", ").join(map(Identifier, types))
    statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(Identifier(table), names, slots)
    with database.cursor() as cursor:
        cursor.executemany(statement, [prepared(row, types) for row in found])
    number_on(database, table)
    return types, found


def types_of(database: psycopg.Connection, table: str) -> Types:
    """The type of each column, by its name."""
    statement = (
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_name = %s ORDER BY ordinal_position"
    )
    return dict(database.execute(statement, [table]).fetchall())


def converted(value: Any, kind: str) -> Any:  # noqa: ANN401
    """What PostgreSQL answers for a value that SQLite keeps in a column of its own type."""
    return None if value is None else AS_POSTGRESQL_HAS_IT.get(kind, lambda same: same)(value)


def prepared(row: tuple[Any, ...], types: Types) -> list[Any]:
    return [
        Jsonb(value) if kind == "jsonb" and value is not None else value
        for value, kind in zip(row, types.values(), strict=True)
    ]


def number_on(database: psycopg.Connection, table: str) -> None:
    """Let the next row get the next key."""
    database.execute(
        SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
            table, Identifier(table)
        )
    )


def stored(database: psycopg.Connection, table: str, types: Types) -> list[Any]:
    """The rows of a table, oldest first, with these columns."""
    names = SQL(", ").join(map(Identifier, types))
    statement = SQL("SELECT {} FROM {} ORDER BY id").format(names, Identifier(table))
    return database.execute(statement).fetchall()
