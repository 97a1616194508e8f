"""Stores many rows on PostgreSQL by COPY: one statement for all, whatever is in them.

A statement for each row costs both sides several times as much.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

Rows = Sequence[tuple[Any, ...]]
FEWEST = 20
"""Rows from which on COPY is worth its round trips."""


def copy_new(
    connection: BaseDatabaseWrapper,
    table: str,
    columns: Sequence[str],
    rows: Rows,
    floats: Collection[str],
) -> list[int]:
    """Insert rows that are all new; return their ids in the order of the rows.

    Columns in `floats` hold floats, the others text. Raises what the database raises, such as
    IntegrityError if one of them is stored already. The table is locked as an INSERT locks it, and
    before the ids are taken: whoever waits for the writers of the table relies on that.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        cursor.execute(
            "SELECT array_agg(nextval(ids.name)) FROM generate_series(1, %s), "
            "(SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name) AS ids",
            [len(rows), table],
        )
        ids: list[int] = cursor.fetchone()[0]
    types = ["int4", *("float8" if column in floats else "text" for column in columns)]
    with_ids = [(own, *row) for own, row in zip(ids, rows, strict=True)]
    _copy(connection, f"{_into(table, ('id', *columns))} (FORMAT binary)", with_ids, types)
    return ids


def copy_rows(
    connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Rows
) -> None:
    """Insert rows; the server reads each value as its column's type, and checks its range."""
    _copy(connection, _into(table, columns), rows)


def _into(table: str, columns: Sequence[str]) -> str:
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN"


def _copy(
    connection: BaseDatabaseWrapper, statement: str, rows: Rows, types: Sequence[str] = ()
) -> None:
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)
