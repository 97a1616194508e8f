"""Selects and writes model rows with plain SQL.

Django's ORM takes several times as long to build a statement, or to make objects from its rows, as
the database takes to run it, and one trade is about eighty statements. Every table's primary key
is `id`. Django's own signals are not sent: nothing listens to them.

A model may guard its rows: `may_change` names the only fields that an update may set, and
`insert_refused` says why this module may not insert rows. Both are checked, as the models check
them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model
from django.db.models.expressions import Col, DatabaseDefault

from argo.errors import Conflict
from signals.dialect import numbers

Row = TypeVar("Row", bound=Model)
Convert = Callable[[Any, Col, BaseDatabaseWrapper], Any]
Plan = tuple[tuple[int, Any, tuple[Convert, ...]], ...]
"""The index of each column, its `Col` (None if it is no field), and its converters."""


class Immutable(Conflict):
    """A stored row, or a field of it, that never changes."""


def select(
    model: type[Row], statement: str, values: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS
) -> list[Row]:
    """Run a statement that selects every column; return objects, as `objects.raw` does."""
    database = connections[using]
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchall()
        if not found:
            return []
        columns = tuple(column[0] for column in cursor.description)
    plan = _plan(model, columns, database)
    names = [col.target.attname for _, col, _ in plan]
    return [model.from_db(using, names, _converted(row, plan, database)) for row in found]


def select_one(
    model: type[Row], statement: str, values: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS
) -> Row | None:
    """Return the first row, or None if there is none."""
    return next(iter(select(model, statement, values, using=using)), None)


def select_values(
    model: type[Model], statement: str, values: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS
) -> list[tuple[Any, ...]]:
    """Run a statement that selects some columns of the model; return their values, row by row.

    This takes a fraction of the time that objects take. A column that is no field of the model has
    the value that the database gives.
    """
    database = connections[using]
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchall()
        names = tuple(column[0] for column in cursor.description)
    plan = _values_plan(model, names, database)
    return [tuple(_converted(row, plan, database)) for row in found]


def by_id(
    model: type[Row], ids: Collection[int], *, using: str = DEFAULT_DB_ALIAS
) -> dict[int, Row]:
    """Return the rows with these primary keys, by key; keys without a row are left out."""
    slots = ", ".join(["%s"] * len(ids))
    statement = f"SELECT * FROM {model._meta.db_table} WHERE id IN ({slots}) ORDER BY id"  # noqa: S608
    return {row.pk: row for row in select(model, statement, [*ids], using=using)} if ids else {}


def _plan(model: type[Model], columns: tuple[str, ...], database: BaseDatabaseWrapper) -> Plan:
    """Return, for each field, the index of its column and its converters.

    Each connection keeps its own plans, because the converters are bound to it.
    """
    plans: dict[object, Plan] = vars(database).setdefault("argo_plans", {})
    if (plan := plans.get((model, columns))) is None:
        cols = [field.cached_col for field in model._meta.concrete_fields]
        plan = tuple(
            (columns.index(col.target.column), col, _converters(col, database)) for col in cols
        )
        plans[model, columns] = plan
    return plan


def _values_plan(model: type[Model], names: tuple[str, ...], database: BaseDatabaseWrapper) -> Plan:
    """Return, for each column in its order, its converters; none for one that is no field."""
    plans: dict[object, Plan] = vars(database).setdefault("argo_plans", {})
    if (plan := plans.get((model, "values", names))) is None:
        by_column = {field.column: field.cached_col for field in model._meta.concrete_fields}
        plan = tuple(
            (index, by_column[name], _converters(by_column[name], database))
            if name in by_column
            else (index, None, ())
            for index, name in enumerate(names)
        )
        plans[model, "values", names] = plan
    return plan


def _converters(col: Col, database: BaseDatabaseWrapper) -> tuple[Convert, ...]:
    return (*database.ops.get_db_converters(col), *col.get_db_converters(database))


def _converted(row: Sequence[Any], plan: Plan, database: BaseDatabaseWrapper) -> list[Any]:
    values = []
    for index, col, converters in plan:
        value = row[index]
        for convert in converters:
            value = convert(value, col, database)
        values.append(value)
    return values


def insert(row: Model, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Insert the row and set its primary key, as `row.save(force_insert=True)` does.

    All database defaults in this project are constants, and are written out. Raises what `save`
    raises, such as `IntegrityError`.
    """
    _check_insert(row)
    database, fields = connections[using], row._meta.concrete_fields
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
    row._state.adding, row._state.db = False, using


def insert_missing(
    signals: Iterable[int], table: str, values: Mapping[str, Any], *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Insert a row with these values for each signal's primary key, unless it has one already.

    `values` must be adapted for the database. The keys that a flush makes nearly always have no
    gap; only nodes that flush at the same time have one. One statement takes a third less time
    than a row of parameters for each.
    """
    ids, given = sorted(set(signals)), [*values.values()]
    if not ids:
        return
    columns, slots = ", ".join(["id", *values]), ", ".join(["%s"] * len(values))
    into, once = f"INSERT INTO {table} ({columns})", "ON CONFLICT (id) DO NOTHING"
    with connections[using].cursor() as cursor:
        if ids[-1] - ids[0] + 1 == len(ids):
            source = "FROM signals WHERE id BETWEEN %s AND %s"
            cursor.execute(f"{into} SELECT id, {slots} {source} {once}", [*given, ids[0], ids[-1]])
        else:
            listed, parameter = numbers(using, ids)
            source = f"SELECT value, {slots} FROM {listed} WHERE true"  # noqa: S608
            cursor.execute(f"{into} {source} {once}", [*given, parameter])


def update(
    model: type[Model],
    pk: int,
    values: Mapping[str, Any],
    only_if: Mapping[str, Any] | None = None,
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> bool:
    """Set these fields of one row, but only if its fields equal `only_if`.

    Return True if a row was changed. None in `only_if` means NULL. Raises `Immutable` if the model
    does not allow this change.
    """
    _check_update(model, values)
    database, expected = connections[using], only_if or {}
    changes = ", ".join(f"{_field(model, name).column} = %s" for name in values)
    conditions = [f"{_field(model, name).column} {_is(value)}" for name, value in expected.items()]
    compared = [(name, value) for name, value in expected.items() if value is not None]
    with database.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {changes} "  # noqa: S608
            f"WHERE {' AND '.join(['id = %s', *conditions])}",
            [
                *_prepared(model, values.items(), database),
                pk,
                *_prepared(model, compared, database),
            ],
        )
        return bool(cursor.rowcount == 1)


def update_each(
    model: type[Model], changes: Mapping[int, Mapping[str, Any]], *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Set fields of many rows in one call. `changes` has the new values by primary key.

    Every row changes the same fields. The caller must have locked the rows.
    """
    if not changes:
        return
    database, names = connections[using], next(iter(changes.values())).keys()
    _check_update(model, names)
    columns = ", ".join(f"{_field(model, name).column} = %s" for name in names)
    rows = [(*_prepared(model, values.items(), database), pk) for pk, values in changes.items()]
    with database.cursor() as cursor:
        cursor.executemany(f"UPDATE {model._meta.db_table} SET {columns} WHERE id = %s", rows)  # noqa: S608


def _check_insert(row: Model) -> None:
    """Raise `Immutable` if the model is stored by other means, or the row is stored already."""
    if refused := getattr(row, "insert_refused", ""):
        raise Immutable(refused)
    if not row._state.adding:
        raise Immutable(f"{row} is stored already.")


def _check_update(model: type[Model], names: Iterable[str]) -> None:
    """Raise `Immutable` if a field may not change."""
    may_change = getattr(model, "may_change", None)
    if may_change is not None and (fixed := set(names) - may_change):
        raise Immutable(f"{model.__name__}: {', '.join(sorted(fixed))} cannot change.")


def _prepared(
    model: type[Model], values: Iterable[tuple[str, Any]], database: BaseDatabaseWrapper
) -> list[Any]:
    return [_field(model, name).get_db_prep_save(value, database) for name, value in values]


def _is(value: object) -> str:
    return "IS NULL" if value is None else "= %s"


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    """Return a concrete field. Raises `FieldDoesNotExist`."""
    field = model._meta.get_field(name)
    assert isinstance(field, Field)  # noqa: S101  # rows have no relations to many
    return field
