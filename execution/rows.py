"""Rows written by plain statements.

Django takes several times as long to write such a statement as the database to run it, and a trade
is some forty of them. Every table's key is `id`. Django's own signals are not sent: nothing listens
to them.
"""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault


def insert(row: Model) -> None:
    """Insert the row and give it its primary key, as `row.save(force_insert=True)` does.

    Defaults of the database are constants here, and written out. Raises what `save` does, such as
    `IntegrityError`.
    """
    database, fields = _database(), row._meta.concrete_fields
    for field in fields:
        if isinstance(default := getattr(row, field.attname), DatabaseDefault):
            setattr(row, field.attname, default.expression.value)  # type: ignore[attr-defined]
    given = [field for field in fields if getattr(row, field.attname) is not None]
    columns, slots = ", ".join(str(field.column) for field in given), ", ".join(["%s"] * len(given))
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({slots}) RETURNING id",  # noqa: S608
            [field.get_db_prep_save(getattr(row, field.attname), database) for field in given],
        )
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update(
    model: type[Model], pk: int, values: Mapping[str, Any], only_if: Mapping[str, Any] | None = None
) -> bool:
    """Set these fields of the row, `only_if` others are as told; whether there was such a row."""
    changes, changed = _prepared(model, values)
    conditions, found = _prepared(model, only_if or {})
    where = " AND ".join(["id = %s", *conditions])
    with _database().cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {', '.join(changes)} WHERE {where}",  # noqa: S608
            [*changed, pk, *found],
        )
        return bool(cursor.rowcount == 1)


def _database() -> BaseDatabaseWrapper:
    """The connection itself: `django.db.connection` looks for it at each use."""
    return connections[DEFAULT_DB_ALIAS]


def _prepared(model: type[Model], values: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """`column = %s` for each, and what stands for it."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    database = _database()
    return [f"{fields[name].column} = %s" for name in values], [
        fields[name].get_db_prep_save(value, database) for name, value in values.items()
    ]
