"""Inserts many rows at a time, in the way that suits SQLite or PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper

from signals.copying import FEWEST, copy_new, copy_rows
from signals.empty import without_empty
from signals.pipeline import is_pipelined

Rows = Sequence[tuple[Any, ...]]
NOTHING: Mapping[str, str | None] = MappingProxyType({})


def insert_new(
    using: str,
    table: str,
    columns: Sequence[str],
    rows: Rows,
    *,
    key: str,
    floats: Collection[str] = (),
) -> dict[str, int]:
    """Insert rows; return their ids by the value of `key`, the first column, which is unique.

    On PostgreSQL a row is left out, without an id, if another process has stored its key since. On
    SQLite that cannot happen, because the caller's transaction holds the write lock. Columns in
    `floats` hold floats, the others text. Raises what the database raises.
    """
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            return _insert_postgresql(cursor, table, columns, rows, key, floats)
        return _insert_sqlite(cursor, table, columns, rows)


def insert_fresh(
    using: str,
    table: str,
    columns: Sequence[str],
    rows: Rows,
    *,
    key: str,
    floats: Collection[str] = (),
) -> dict[str, int]:
    """Insert rows like `insert_new`, but only if all are new: it costs less where there are many.

    A stored key makes it raise IntegrityError, or return without that key.
    """
    if not _by_copy(using, rows):
        return insert_new(using, table, columns, rows, key=key, floats=floats)
    ids = copy_new(connections[using], table, columns, rows, floats)
    return {row[0]: own for own, row in zip(ids, rows, strict=True)}


def insert_rows(
    using: str,
    table: str,
    columns: Sequence[str],
    rows: Rows,
    same: Mapping[str, str | None] = NOTHING,
) -> None:
    """Insert rows with these columns, and with the values of `same`, which all rows share.

    The latter are part of the statement: a parameter more would cost every row.
    """
    if _by_copy(using, rows):
        shared = (*same.values(),)
        whole = [(*row, *shared) for row in rows]
        copy_rows(connections[using], table, (*columns, *same), whole)
        return
    columns, rows, empty = without_empty(columns, rows)
    same = {**same, **dict.fromkeys(empty)}
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql" and rows:
            cursor.execute(_insert(table, columns, same, len(rows)), [*chain.from_iterable(rows)])
        else:
            cursor.executemany(_insert(table, columns, same), rows)


def _by_copy(using: str, rows: Rows) -> bool:
    is_possible = connections[using].vendor == "postgresql" and not is_pipelined(using)
    return is_possible and len(rows) >= FEWEST


def insert_numbers(
    using: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[int | None]]
) -> None:
    """Insert rows of whole numbers; a row that a unique constraint refuses is left out."""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            source = f"SELECT * FROM unnest({', '.join(['%s::bigint[]'] * len(columns))})"  # noqa: S608
            values = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(f"{into} {source} ON CONFLICT DO NOTHING", values)
        else:
            source = f"VALUES ({', '.join(['%s'] * len(columns))})"
            cursor.executemany(f"{into} {source} ON CONFLICT DO NOTHING", rows)


def insert_typed(
    using: str, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows; `columns` has the type of each column for PostgreSQL, which takes arrays."""
    if not rows:
        return
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            slots = ", ".join(f"%s::{kind}[]" for kind in columns.values())
            values = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(f"{into} SELECT * FROM unnest({slots})", values)  # noqa: S608
        else:
            slots = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"{into} VALUES ({slots})", rows)


def _insert_sqlite(
    cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Rows
) -> dict[str, int]:
    """Insert rows; their ids have no gaps, because the transaction holds the write lock."""
    before = _last_id(cursor, table)
    columns, rows, empty = without_empty(columns, rows)
    cursor.executemany(_insert(table, columns, dict.fromkeys(empty)), rows)
    return {row[0]: before + number for number, row in enumerate(rows, 1)}


def _last_id(cursor: CursorWrapper, table: str) -> int:
    """Return the last id that was used: AUTOINCREMENT continues from the greater of the two."""
    cursor.execute(
        f"SELECT max(coalesce((SELECT max(id) FROM {table}), 0), "  # noqa: S608
        "coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0))",
        [table],
    )
    return int(cursor.fetchone()[0])


def _insert_postgresql(
    cursor: CursorWrapper,
    table: str,
    columns: Sequence[str],
    rows: Rows,
    key: str,
    floats: Collection[str],
) -> dict[str, int]:
    types = ", ".join(f"%s::{'float8' if column in floats else 'text'}[]" for column in columns)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({types}) "  # noqa: S608
        f"ON CONFLICT ({key}) DO NOTHING RETURNING {key}, id",
        [list(values) for values in zip(*rows, strict=True)],
    )
    return dict(cursor.fetchall())


def _insert(
    table: str, columns: Sequence[str], same: Mapping[str, str | None] = NOTHING, rows: int = 1
) -> str:
    values = ", ".join([*["%s"] * len(columns), *map(_literal, same.values())])
    slots = ", ".join([f"({values})"] * rows)
    return f"INSERT INTO {table} ({', '.join([*columns, *same])}) VALUES {slots}"  # noqa: S608


def _literal(text: str | None) -> str:
    """Return the text as SQL, in a statement that has parameters."""
    return "NULL" if text is None else "'" + text.replace("'", "''").replace("%", "%%") + "'"
